import { describe, expect, test } from 'vitest';
import { type ContainmentFacts, noticesOf, safeguardsOf } from './safeguards.ts';

const GUEST = { name: 'warmvm', uid: 900, gid: 901, groups: [] };
const WHOLE: ContainmentFacts = {
  sandbox: true,
  isRoot: true,
  userIds: { first: 5000, last: 9000 },
  prlimit: { path: '/usr/bin/prlimit' },
  setpriv: { path: '/usr/bin/setpriv' },
  cgroup: { path: '/sys/fs/cgroup/mine', controllers: ['cpu', 'memory', 'pids'] },
};
const { userIds: _userIds, ...SHARED } = WHOLE;
const lacking = (facts: ContainmentFacts) => safeguardsOf(facts).filter(({ active }) => !active);

describe('safeguards', () => {
  test('of a host that has everything are all active, and give no notice', () => {
    expect(lacking(WHOLE)).toEqual([]);
    expect(noticesOf(safeguardsOf(WHOLE))).toEqual([]);
  });

  test.each<[string, ContainmentFacts, readonly string[], RegExp]>([
    ['no filter', { ...WHOLE, sandbox: false }, ['system calls'], /Linux/],
    ['root that stays root', SHARED, ['user', 'a user of its own'], /options\.user/],
    ['one user for all', { ...SHARED, user: GUEST }, ['a user of its own'], /options\.user/],
    [
      'user ids that the host forbids',
      { ...SHARED, user: GUEST, shared: 'Invalid argument' },
      ['a user of its own'],
      /options\.userIds/,
    ],
    [
      'only nobody',
      { ...SHARED, user: { ...GUEST, name: 'nobody' } },
      ['user', 'a user of its own'],
      /useradd --system warmvm|leave options\.user out/,
    ],
    ['a process that is not root', { ...SHARED, isRoot: false }, ['a user of its own'], /as root/],
    ['no prlimit', { ...WHOLE, prlimit: { missing: 'none' } }, ['core dumps and file sizes'], /util-linux/],
    [
      'no setpriv',
      { ...WHOLE, setpriv: { missing: 'none' } },
      ['privileges', 'death with this process'],
      /util-linux.*container/,
    ],
    [
      'no cgroup',
      { ...WHOLE, cgroup: { reason: 'none is delegated', remedy: 'delegate one' } },
      ['memory, processes, processors'],
      /^delegate one$/,
    ],
    [
      'a cgroup without processors',
      { ...WHOLE, cgroup: { path: '/c', controllers: ['memory', 'pids'] } },
      ['memory, processes, processors'],
      /"\+cpu" to \/c\/cgroup\.subtree_control/,
    ],
  ])('with %s say which are not active, and what to do', (_what, facts, names, remedy) => {
    expect(lacking(facts).map(({ name }) => name)).toEqual(names);
    for (const safeguard of lacking(facts)) expect(safeguard.remedy).toMatch(remedy);
  });

  test('that are not active are told as one sentence each', () => {
    const cgroup = { reason: 'none is delegated', remedy: 'delegate one' };
    expect(noticesOf(safeguardsOf({ ...WHOLE, cgroup }))).toEqual([
      'not contained: memory, processes, processors: not limited: none is delegated; to mend it: delegate one',
    ]);
  });
});
