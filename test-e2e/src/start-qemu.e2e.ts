import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DisposableComputer, startDisposableComputer } from './support/disposable-computer.ts';
import { runProgramOn, traces } from './support/main-program.ts';

let computer: DisposableComputer;
let folder: string;

beforeAll(async () => {
  computer = await startDisposableComputer();
  expect(await traces(computer)).toEqual([]);
});
afterAll(() => computer?.[Symbol.asyncDispose]());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-start-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('warmvm start on QEMU', () => {
  test('is what it does unasked, proves and measures real machines, and leaves nothing', async () => {
    await using program = runProgramOn(computer, ['start', '--samples', '2', '--json', 'report.json'], folder);
    const { exitCode, stdout, stderr } = await program.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('warmvm start: real virtual machines on QEMU itself');
    const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
    expect(report).toMatchObject({
      driver: 'qemu',
      acceleration: expect.stringMatching(/^(kvm|tcg)$/),
      proofs: { markerAbsentAfterReset: true, killedMachineEvicted: true, leftBehind: 0 },
      environment: { hypervisor: expect.stringMatching(/^QEMU \d/) },
    });
    expect(await traces(computer)).toEqual([]);
  });

  test.each(['booting the one machine', 'golden snapshot ready', '1 of 20'])(
    'interrupted at "%s" destroys everything and says so',
    async (text) => {
      await using program = runProgramOn(computer, ['start', '--driver', 'qemu', '--json', 'report.json'], folder);
      await program.prints(text);
      program.signal('SIGINT');
      const { exitCode } = await program.ended;
      expect(exitCode).toBe(130);
      expect(await readdir(folder)).toEqual([]);
      expect(await traces(computer)).toEqual([]);
    },
  );

  test('works after it was killed, and removes what the killed one left', async () => {
    {
      await using program = runProgramOn(computer, ['start', '--driver', 'qemu'], folder);
      await program.prints('1 of 20');
      program.kill('SIGKILL');
      await program.ended;
    }
    await using program = runProgramOn(computer, ['start', '--driver', 'qemu', '--samples', '1'], folder);
    const { exitCode, stdout } = await program.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('proved: nothing is left behind');
    expect(await traces(computer)).toEqual([]);
  });

  test('is done one after the other where two are begun, and neither takes machines of the other for left behind', async () => {
    const begin = () => runProgramOn(computer, ['start', '--driver', 'qemu', '--samples', '1'], folder);
    await using first = begin();
    await first.prints('golden snapshot ready');
    await using second = begin();
    const [one, other] = await Promise.all([first.ended, second.ended]);
    expect([one, other].map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    expect(one.stdout).not.toContain('waiting until it has ended');
    expect(other.stdout).toContain(
      'another warmvm start of this user runs on this computer: waiting until it has ended',
    );
    expect(await traces(computer)).toEqual([]);
  });
});
