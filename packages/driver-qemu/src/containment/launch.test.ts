import { describe, expect, test } from 'vitest';
import { type Containment, launch } from './launch.ts';

const plan = {
  program: '/usr/bin/qemu',
  arguments: ['-S'],
  directory: '/m',
  maxFileBytes: 1000,
  accelerated: false,
  stdio: 'ignore',
} as const;
const tools: Containment = { prlimit: '/bin/prlimit', setpriv: '/bin/setpriv' };
const user = { name: 'guest', uid: 900, gid: 901, groups: [] };
const words = (containment: Containment): string => {
  const { command, arguments: list } = launch(plan, containment);
  return [command, ...list].join(' ');
};

describe('launch', () => {
  test('limits files and core dumps, forbids new privileges, and ties the life of the process to ours', () => {
    expect(words(tools)).toBe(
      '/bin/prlimit --core=0:0 --fsize=1000:1000 -- /bin/setpriv --pdeathsig KILL --no-new-privs -- /usr/bin/qemu -S',
    );
  });

  test('drops the user with all its groups and capabilities', () => {
    expect(words({ ...tools, user })).toContain(
      'setpriv --reuid 900 --regid 901 --clear-groups --bounding-set -all --inh-caps -all --pdeathsig KILL --no-new-privs -- ',
    );
    expect(launch(plan, { ...tools, user }).options).not.toHaveProperty('uid');
  });

  test('keeps the group of the device for those alone that open it', () => {
    const containment = { ...tools, user: { ...user, groups: [104] } };
    expect(launch({ ...plan, accelerated: true }, containment).arguments.join(' ')).toContain(' --groups 104 ');
    expect(words(containment)).toContain(' --clear-groups ');
  });

  test('does without what the host does not have', () => {
    expect(words({})).toBe('/usr/bin/qemu -S');
    expect(launch(plan, { user }).options).toMatchObject({ uid: 900, gid: 901 });
  });

  test('takes nothing along: not the environment, not the folder, not the terminal', () => {
    const { options } = launch(plan, tools);
    expect(options).toMatchObject({ cwd: '/m', detached: true, stdio: 'ignore' });
    expect(options.env).toEqual({ PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', HOME: '/m', TMPDIR: '/m' });
    expect(options).not.toHaveProperty('shell');
  });
});
