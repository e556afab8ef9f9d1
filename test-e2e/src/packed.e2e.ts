import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandUser, openCommandUser } from './support/command-user.ts';
import { type DisposableComputer, startDisposableComputer } from './support/disposable-computer.ts';
import { traces } from './support/main-program.ts';

const INSTALL_PACKED = fileURLToPath(new URL('../../tools/install-packed.ts', import.meta.url));

let project: string;
let computer: DisposableComputer;
let user: CommandUser;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'warmvm-e2e-packed-'));
  const { stdout } = await promisify(execFile)(process.execPath, [INSTALL_PACKED, '--oldest', project]);
  const command = JSON.parse(stdout) as readonly string[];
  computer = await startDisposableComputer();
  user = await openCommandUser((folder) => [...computer.within(folder), ...command]);
}, 300_000);

afterAll(async () => {
  await user?.[Symbol.asyncDispose]();
  await computer?.[Symbol.asyncDispose]();
  await rm(project, { recursive: true, force: true });
});

/** Runs a command that must go well. */
async function said(...words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await user.run(...words);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

describe('the packed command line, on the oldest Node and in a project that is no checkout', {
  timeout: 600_000,
}, () => {
  test('says what the computer can do', async () => {
    const { findings } = JSON.parse(await said('doctor', '--json')) as { findings: { id: string; text: string }[] };
    expect(findings.find(({ id }) => id === 'node')?.text).toMatch(/^Node v?22\.12\./);
    expect(findings.find(({ id }) => id === 'qemu')?.text).toMatch(/^QEMU emulator version/);
  });

  test('runs a command in a clean machine', async () => {
    expect(await said('run', '--', 'uname', '-a')).toMatch(/^Linux warmvm-\S+ \S+ .* (x86_64|aarch64) /);
  });

  test('keeps a pool from which ten other processes lease at once', async () => {
    await using pool = user.start('pool', 'start', '--min-ready', '2', '--max', '4');
    await pool.prints('pool default is ready');
    const numbers = Array.from({ length: 10 }, (_, index) => String(index + 1));
    const outputs = await Promise.all(
      numbers.map((number) => said('run', '--', 'sh', '-c', `ls /tmp/marker; echo > /tmp/marker; echo ${number}`)),
    );
    expect(outputs).toEqual(numbers.map((number) => `${number}\n`));
    expect(await said('pool', 'status')).toMatch(/10 leases .* 0 failures/);
    expect(await said('pool', 'drain')).toContain('every lease came back, nothing is left');
    expect((await pool.ended).exitCode).toBe(0);
    expect(await user.traces()).toEqual([]);
  });

  test('measures real machines of QEMU, kills them from a process of its own, and leaves nothing', async () => {
    await said('bench', 'acquire', 'detect', '--driver', 'qemu', '--samples', '2', '--json', 'result.json');
    const { suites } = JSON.parse(await readFile(join(user.folder, 'result.json'), 'utf8'));
    expect(suites).toMatchObject([
      { suite: 'acquire', driver: 'qemu', figures: { acquire: { unit: 'ms' } } },
      { suite: 'detect', driver: 'qemu', figures: { 'event path': { unit: 'ms' } } },
    ]);
    expect(suites[0].environment).toMatchObject({
      acceleration: expect.stringMatching(/^(kvm|tcg)$/),
      node: expect.stringMatching(/^v22\.12\./),
    });
    expect(suites[1].figures['event path'].samples).toHaveLength(2);
    expect(await traces(computer)).toEqual([]);
  });
});
