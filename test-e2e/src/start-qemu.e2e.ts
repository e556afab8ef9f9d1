import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runProgram, traces } from './support/main-program.ts';

let folder: string;
let before: readonly string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-start-'));
  before = await traces();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('warmvm start on QEMU', () => {
  test('is what it does unasked, proves and measures real machines, and leaves nothing', async () => {
    await using program = runProgram(['start', '--samples', '2', '--json', 'report.json'], folder);
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
    expect(await traces()).toEqual(before);
  });

  test.each(['booting the one machine', 'golden snapshot ready', '1 of 20'])(
    'interrupted at "%s" destroys everything and says so',
    async (text) => {
      await using program = runProgram(['start', '--driver', 'qemu', '--json', 'report.json'], folder);
      await program.prints(text);
      program.signal('SIGINT');
      const { exitCode } = await program.ended;
      expect(exitCode).toBe(130);
      expect(await readdir(folder)).toEqual([]);
      expect(await traces()).toEqual(before);
    },
  );

  test('works after it was killed, and removes what the killed one left', async () => {
    {
      await using program = runProgram(['start', '--driver', 'qemu'], folder);
      await program.prints('1 of 20');
      program.kill('SIGKILL');
      await program.ended;
    }
    await using program = runProgram(['start', '--driver', 'qemu', '--samples', '1'], folder);
    const { exitCode, stdout } = await program.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('proved: nothing is left behind');
    expect(await traces()).toEqual(before);
  });
});
