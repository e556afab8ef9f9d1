import type { Command, CommandResult, CommandRunner } from '@warmvm/local-host';
import { describe, expect, test } from 'vitest';
import type { Finding, Fix } from './finding.ts';
import { type Mending, mend } from './mend.ts';

const PACKAGES = ['qemu-system-x86', 'qemu-utils'];
const INSTALL: Fix = { text: '', command: ['apt-get', 'install', ...PACKAGES], packages: PACKAGES, needsRoot: true };
const RIGHTS: Fix = { text: 'chmod go-w /images', command: ['chmod', 'go-w', '/images'] };

function mender(answer: (line: string) => Partial<CommandResult> = () => ({}), change: Partial<Mending> = {}) {
  const ran: string[] = [];
  const told: string[] = [];
  const runner = {
    run: async (command: Command) => {
      ran.push(command.join(' '));
      return { exitCode: 0, output: '', ...answer(command.join(' ')) };
    },
  } as CommandRunner;
  const mending: Mending = {
    runner,
    isRoot: true,
    agrees: async () => true,
    tell: (text) => told.push(text),
    signal: new AbortController().signal,
    ...change,
  };
  const finding = (fix: Fix): Finding => ({ id: 'x', level: 'problem', text: 'broken', fix });
  return { ran, told, mending, mend: (...fixes: readonly Fix[]) => mend(fixes.map(finding), mending) };
}

describe('mending', () => {
  test('runs the command of each fix that has one, after it was said', async () => {
    const { ran, told, mend } = mender();
    expect(await mend({ text: 'buy another computer' }, RIGHTS)).toBe(true);
    expect(ran).toEqual(['chmod go-w /images']);
    expect(told).toEqual([
      'not fixed: x: only a person can: buy another computer\n',
      'running: chmod go-w /images\n',
      '--fix: ran 1 of 2 fixes; 1 left to you\n',
    ]);
  });

  test('leaves alone what is well', async () => {
    const { ran, told, mending } = mender();
    const well: Finding = { id: 'x', level: 'ok', text: 'well', fix: RIGHTS };
    expect(await mend([well], mending)).toBe(false);
    expect(ran).toEqual([]);
    expect(told).toEqual(['--fix: there is nothing to fix\n']);
  });

  test('runs nothing that was not agreed to, and nothing that only root may', async () => {
    const refused = mender(undefined, { agrees: async () => false });
    expect(await refused.mend(RIGHTS)).toBe(false);
    expect(refused.ran).toEqual([]);
    const user = mender(undefined, { isRoot: false });
    expect(await user.mend(INSTALL)).toBe(false);
    expect(user.told).toEqual([
      'not fixed: x: only root may: sudo apt-get install qemu-system-x86 qemu-utils\n',
      '--fix: ran 0 of 1 fixes; 1 left to you\n',
    ]);
  });

  test('goes on after a command that fails, and says how it did', async () => {
    const { told, mend, ran } = mender((line) =>
      line.startsWith('chmod') ? { exitCode: 1, output: 'read-only' } : {},
    );
    expect(await mend(RIGHTS, { ...RIGHTS, command: ['modprobe', 'kvm_amd'] })).toBe(true);
    expect(told[1]).toBe('that did not work: it ended with 1:\nread-only\n');
    expect(ran).toEqual(['chmod go-w /images', 'modprobe kvm_amd']);
  });
});
