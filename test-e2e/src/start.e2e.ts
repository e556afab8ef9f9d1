import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DisposableComputer, startDisposableComputer } from './support/disposable-computer.ts';
import { type ProgramEnd, runProgramOn, traces } from './support/main-program.ts';

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

async function run(...words: readonly string[]): Promise<ProgramEnd> {
  await using program = runProgramOn(computer, words, folder);
  return await program.ended;
}

describe('warmvm start over libvirt', () => {
  test('proves and measures real machines, writes its report, and leaves nothing', async () => {
    const { exitCode, stdout, stderr } = await run(
      'start',
      '--driver',
      'libvirt',
      '--samples',
      '2',
      '--json',
      'report.json',
    );
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').find((line) => line.startsWith('warmvm start:'))).toContain('real virtual machines');
    for (const words of ['figure', 'stated', 'measured', 'acquire-5', 'proved: nothing is left behind']) {
      expect(stdout).toContain(words);
    }
    expect(await readdir(folder)).toEqual(['report.json']);
    const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
    expect(report).toMatchObject({
      schema: 1,
      driver: 'libvirt',
      acceleration: expect.stringMatching(/^(kvm|tcg)$/),
      pool: { minReady: 3, max: 5 },
      proofs: { markerAbsentAfterReset: true, killedMachineEvicted: true, leftBehind: 0 },
      leftBehind: [],
      environment: { node: process.version, hypervisor: expect.stringMatching(/^QEMU \d.*, libvirt \d/) },
    });
    const ids = ['cold-boot', 'init-cold', 'init', 'boot', 'acquire', 'acquire-5', 'exec', 'reset', 'detect', 'cycle'];
    expect(Object.keys(report.stages)).toEqual(expect.arrayContaining(ids));
    for (const stage of Object.values(report.stages) as { samplesMs: number[]; p50: number; p99: number }[]) {
      expect(stage.samplesMs.length).toBeGreaterThan(0);
      expect(stage.samplesMs).toContain(stage.p50);
      expect(stage.samplesMs).toContain(stage.p99);
    }
    expect(report.stages.cycle.samplesMs).toHaveLength(2);
    expect(report.stages.detect.samplesMs).toHaveLength(2);
    expect(report.figures.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(await traces(computer)).toEqual([]);
  });

  const moments = [
    ['before there is a daemon', 'building the golden image'],
    ['while the golden image boots', 'booting the one machine'],
    ['while machines are forked', 'golden snapshot ready'],
    ['while machines are lent and reset', '1 of 20'],
  ] as const;
  test.each(moments)('interrupted %s destroys everything and says so', async (_when, text) => {
    await using program = runProgramOn(computer, ['start', '--driver', 'libvirt', '--json', 'report.json'], folder);
    await program.prints(text);
    program.signal('SIGINT');
    program.signal('SIGINT');
    const { exitCode, stderr } = await program.ended;
    expect(stderr.split('\n').filter((line) => /^(error|interrupted)/.test(line))).toEqual([
      'interrupted: destroying what was made (Ctrl-C again: leave at once)',
    ]);
    expect(exitCode).toBe(130);
    expect(await readdir(folder)).toEqual([]);
    expect(await traces(computer)).toEqual([]);
  });

  test('works after it was killed, and soon nothing of the killed one is left', async () => {
    {
      await using program = runProgramOn(computer, ['start', '--driver', 'libvirt'], folder);
      await program.prints('1 of 20');
      program.kill('SIGKILL');
      await program.ended;
    }
    const { exitCode, stdout, stderr } = await run('start', '--driver', 'libvirt', '--samples', '1');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('proved: nothing is left behind');
    // The daemon of the killed one ends by itself 20 s after the last connection.
    const isTemporary = (line: string): boolean => line.startsWith('/var/tmp/');
    const lasting = async () => (await traces(computer)).filter((line) => !isTemporary(line));
    await expect.poll(lasting, { timeout: 40_000, interval: 500 }).toEqual([]);
    for (const path of await traces(computer)) await rm(join(computer.root, path), { recursive: true });
  });

  test('on the fake says so first, and does the same', async () => {
    const { exitCode, stdout } = await run('start', '--driver', 'fake', '--samples', '2', '--json', 'report.json');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')[0]).toBe(
      'warmvm start: on the embedded fake, no real machines: asked for with --driver fake',
    );
    const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
    expect(report).toMatchObject({ schema: 1, driver: 'fake', acceleration: 'none', proofs: { leftBehind: 0 } });
    expect(await traces(computer)).toEqual([]);
  });

  test.each([
    [['start', '--samples', '0'], /samples.*expected a whole number from 1 to 10000/],
    [['start', '--samples', 'many'], /samples.*expected a whole number from 1 to 10000/],
    [['start', '--driver', 'vmware'], /vmware.*Allowed choices are auto, qemu, libvirt, libvirt-ssh, fake/],
    [['start', '--json'], /'--json <file>' argument missing/],
    [['start', '--frobnicate'], /unknown option '--frobnicate'/],
    [['begin'], /unknown command 'begin'/],
  ] as const)('refuses %j before anything is started', async (words, complaint) => {
    const { exitCode, stdout, stderr } = await run(...words);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(complaint);
    expect(stdout).toBe('');
  });
});
