import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CommandUser, openCommandUser } from './support/command-user.ts';
import { type DisposableComputer, startDisposableComputer } from './support/disposable-computer.ts';
import { fromSource, MAIN } from './support/main-program.ts';

let computer: DisposableComputer;
let user: CommandUser;

beforeAll(async () => {
  computer = await startDisposableComputer();
  user = await openCommandUser((folder) => [...computer.within(folder), ...fromSource(MAIN)]);
});

afterAll(async () => {
  await user?.[Symbol.asyncDispose]();
  await computer?.[Symbol.asyncDispose]();
});

/** Runs a program there. @throws Error with what it said */
async function administer(...words: readonly string[]): Promise<void> {
  const [program, ...rest] = [...computer.within('/'), ...words] as const;
  await promisify(execFile)(program, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}

interface Finding {
  readonly id: string;
  readonly level: string;
  readonly fix?: { readonly text: string };
}

const find = (stdout: string, id: string): Finding | undefined =>
  (JSON.parse(stdout) as { findings: Finding[] }).findings.find((finding) => finding.id === id);

test('doctor finds out that a computer lacks QEMU and libvirt, mends that, and machines run there', {
  timeout: 900_000,
}, async () => {
  await administer('apt-get', 'purge', '-y', 'qemu-system-*', 'qemu-utils', 'libvirt-daemon*', 'tini');
  // As an image of a computer comes: without lists of packages.
  await administer('sh', '-c', 'rm -rf /var/lib/apt/lists/*');

  const broken = await user.run('doctor', '--json');
  expect(broken.exitCode).toBe(1);
  expect(find(broken.stdout, 'qemu')).toMatchObject({
    level: 'problem',
    fix: { text: expect.stringMatching(/^apt-get install --no-install-recommends qemu-system-\w+ qemu-utils$/) },
  });
  expect(find(broken.stdout, 'libvirt')).toMatchObject({
    level: 'warning',
    fix: { text: expect.stringMatching(/^apt-get/) },
  });

  const refused = await user.run('run', '--', 'true');
  expect(refused).toMatchObject({ exitCode: 125, stdout: '' });
  expect(refused.stderr).toContain('install');

  const unasked = await user.run('doctor', '--fix');
  expect(unasked.exitCode).toBe(1);
  expect(unasked.stderr).toContain('not done without a terminal to ask at or --yes: apt-get install');

  const mended = await user.run('doctor', '--fix', '--yes');
  expect(mended.exitCode, mended.stderr).toBe(0);
  expect(mended.stderr).toMatch(/^installing qemu-system-\w+, qemu-utils /m);
  expect(mended.stderr).toContain('refreshing the package lists');
  expect(mended.stderr).not.toContain('did not work');
  const [before, afterwards] = mended.stdout.split('\nafterwards:\n');
  expect(before).toMatch(/^PROBLEM +QEMU is not installed$/m);
  expect(afterwards).toMatch(/^ok +QEMU emulator version/m);
  expect(afterwards).toContain('libvirt is installed, and no daemon answers');

  const after = await user.run('doctor', '--json');
  expect(after.exitCode).toBe(0);
  expect(find(after.stdout, 'qemu')?.level).toBe('ok');

  expect(await user.run('run', '--', 'echo', 'works')).toMatchObject({ exitCode: 0, stdout: 'works\n' });
  expect(await user.traces()).toEqual([]);
});
