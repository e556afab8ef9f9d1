import { describe, expect, test } from 'vitest';
import type { Command, CommandResult, CommandRunner, RunOptions } from './command-runner.ts';
import { ensurePackages, hypervisorPackages, isDebianLike, planPackages } from './packages.ts';

const debian = 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n';
const facts = { osRelease: debian, isRoot: true, architecture: 'x64' };

function scripted(answer: (command: Command) => Partial<CommandResult>) {
  const calls: { command: Command; options: RunOptions }[] = [];
  const runner: CommandRunner = {
    run: async (command, options = {}) => {
      options.signal?.throwIfAborted();
      calls.push({ command, options });
      return { exitCode: 0, output: '', ...answer(command) };
    },
    start: async () => {
      throw new Error('nothing is started here');
    },
  };
  return { runner, calls, words: () => calls.map(({ command }) => command.slice(0, 2).join(' ')) };
}

describe('what kind of system it is', () => {
  test.each([
    [debian, true],
    ['ID=ubuntu\nID_LIKE=debian', true],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"', true],
    ['ID=fedora', false],
    ['NAME="debian"', false],
    ['', false],
  ])('%j is like Debian: %s', (osRelease, like) => {
    expect(isDebianLike(osRelease)).toBe(like);
  });

  test('the emulator fits the processor', () => {
    expect(hypervisorPackages('arm64')).toContain('qemu-system-arm');
    expect(hypervisorPackages('x64')).toContain('qemu-system-x86');
  });
});

describe('the plan', () => {
  const base = { ...facts, programsPresent: false };
  test('is complete when all is installed', () => {
    expect(planPackages(['a'], { ...base, installed: new Set(['a']) })).toEqual({ kind: 'complete' });
  });

  test('installs only what is missing', () => {
    expect(planPackages(['a', 'b'], { ...base, installed: new Set(['a']) })).toEqual({
      kind: 'install',
      missing: ['b'],
    });
  });

  test('tells an ordinary user the command for root', () => {
    const plan = planPackages(['a', 'b'], { ...base, isRoot: false, installed: new Set(['a']) });
    expect(plan).toMatchObject({
      kind: 'impossible',
      missing: ['b'],
      reason: expect.stringMatching(/apt-get install .* b$/),
    });
  });

  test('on another system the programs count, not the packages', () => {
    const other = { ...base, osRelease: 'ID=arch', installed: new Set<string>() };
    expect(planPackages(['a'], { ...other, programsPresent: true })).toEqual({ kind: 'complete' });
    expect(planPackages(['a'], other).kind).toBe('impossible');
  });
});

describe('ensuring packages', () => {
  test('asks dpkg once and touches nothing when all is there', async () => {
    const { runner, words } = scripted(() => ({ output: 'a installed\nb installed\n' }));
    expect(await ensurePackages({ runner, facts, packages: ['a', 'b'] })).toEqual({ kind: 'complete' });
    expect(words()).toEqual(['dpkg-query --show']);
  });

  test('a package that is only half installed is missing', async () => {
    const { runner, calls } = scripted(() => ({ output: 'a installed\nb half-configured\n' }));
    await ensurePackages({ runner, facts, packages: ['a', 'b'] });
    expect(calls[1]?.command.slice(-1)).toEqual(['b']);
  });

  test('installs without questions and without recommended packages, and says so', async () => {
    const said: string[] = [];
    const { runner, calls, words } = scripted(() => ({}));
    await ensurePackages({ runner, facts, packages: ['a'], onProgress: (text) => said.push(text) });
    expect(words()).toEqual(['dpkg-query --show', 'apt-get install']);
    expect(calls[1]?.command).toContain('--no-install-recommends');
    expect(calls[1]?.options.environment).toEqual({ DEBIAN_FRONTEND: 'noninteractive' });
    expect(said.join()).toContain('installing a');
  });

  test('refreshes the lists only after a failure, and tries once more', async () => {
    let installs = 0;
    const { runner, words } = scripted(([, word]) =>
      word === 'install' ? { exitCode: installs++ === 0 ? 100 : 0 } : {},
    );
    expect(await ensurePackages({ runner, facts, packages: ['a'] })).toEqual({ kind: 'complete' });
    expect(words()).toEqual(['dpkg-query --show', 'apt-get install', 'apt-get update', 'apt-get install']);
  });

  test('a second failure is an error with the end of what apt-get said', async () => {
    const { runner } = scripted(([, word]) => (word === 'install' ? { exitCode: 100, output: 'E: no space' } : {}));
    await expect(ensurePackages({ runner, facts, packages: ['a'] })).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      message: expect.stringContaining('E: no space'),
    });
  });

  test('asks the programs themselves where there is no dpkg', async () => {
    const { runner, words } = scripted(([program]) => ({ exitCode: program === 'tini' ? 127 : 0 }));
    const plan = await ensurePackages({ runner, facts: { ...facts, osRelease: 'ID=arch' } });
    expect(plan.kind).toBe('impossible');
    expect(words()).toEqual(['qemu-img --version', 'libvirtd --version', 'virtlogd --version', 'tini --version']);
  });

  test('an abort is the reason itself', async () => {
    const reason = new Error('enough');
    const { runner } = scripted(() => ({}));
    await expect(ensurePackages({ runner, facts, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
