import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Summary } from '@warmvm/demo-ci/report';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LibvirtHost, openLibvirtHost, storageFor } from './support/libvirt-host.ts';
import { fromSource, runProgram } from './support/main-program.ts';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { type SshHost, startSshHost } from './support/ssh-host.ts';

const DEMO = fileURLToPath(new URL('../../apps/demo-ci', import.meta.url));
/** The one line that is changed, as the configuration of the demo has it. */
const DRIVER_LINE = '  "driver": "qemu",';

/** Jobs that every driver can run: the fake has programs, and no shell. More of them than machines. */
const JOBS = [
  {
    name: 'copies',
    files: { 'input.txt': '/tmp/input.txt' },
    environment: { COLOUR: 'blue' },
    steps: [['cat', '/tmp/input.txt'], ['env']],
    artifacts: { 'out/copy.txt': '/tmp/input.txt' },
  },
  { name: 'fails', steps: [['echo', 'so far'], ['false'], ['echo', 'never']] },
  { name: 'takes-too-long', steps: [['sleep', '600']], timeoutMs: 1500 },
  { name: 'has-no-such-program', steps: [['nonesuch']] },
  { name: 'makes-no-artifact', steps: [['true']], artifacts: { 'copy.txt': '/tmp/copy.txt' } },
  // In machines that others had before, the first among them: nothing of theirs is there.
  { name: 'finds-nothing', steps: [['cat', '/tmp/input.txt']] },
  { name: 'finds-nothing-either', steps: [['cat', '/tmp/input.txt']] },
];

/** What comes of them, wherever they run. Of errors the code alone: the rest is in the words of the driver. */
const OUTCOMES = [
  ['copies', 'passed', '', [0, 0], ['out/copy.txt']],
  ['fails', 'failed', 'false ended with 1', [0, 1], []],
  ['takes-too-long', 'timed-out', 'not done after 1500 ms', [null], []],
  ['has-no-such-program', 'error', 'WARMVM_GUEST_EXEC_FAILED', [null], []],
  ['makes-no-artifact', 'failed', 'there is no /tmp/copy.txt to keep as copy.txt', [0], []],
  ['finds-nothing', 'failed', 'cat /tmp/input.txt ended with 1', [1], []],
  ['finds-nothing-either', 'failed', 'cat /tmp/input.txt ended with 1', [1], []],
];

let libvirt: LibvirtHost;
let ssh: SshHost;
let qemu: QemuHost;
let storage: { storagePool: string; storagePath: string };

beforeAll(async () => {
  libvirt = await openLibvirtHost();
  ssh = await startSshHost();
  qemu = await openQemuHost();
  storage = await storageFor('demo-ci');
});

afterAll(async () => {
  await qemu?.[Symbol.asyncDispose]();
  await ssh?.[Symbol.asyncDispose]();
  await libvirt?.[Symbol.asyncDispose]();
});

const DRIVERS: Readonly<Record<string, () => unknown>> = {
  fake: () => 'fake',
  qemu: () => ({ use: 'qemu', options: { stateDirectory: qemu.stateDirectory } }),
  libvirt: () => ({ use: 'libvirt', options: { uri: libvirt.uri, ...storage } }),
  'libvirt-ssh': () => {
    const socketPath = libvirt.uri.replace(/^.*socket=/, '');
    return { use: 'libvirt-ssh', options: { ...ssh.options, ...storage, socketPath } };
  },
};

/** Everything that a run could leave: on the near host, and on the far one, which is this computer too. */
async function inventory(): Promise<readonly string[]> {
  return [...(await libvirt.inventory([storage.storagePath])), ...(await qemu.inventory())];
}

interface DemoRun extends AsyncDisposable {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly summary: Summary;
  /** Its results. */
  readonly results: string;
}

/** Runs the demo in a copy of itself, in whose configuration one line is another. */
async function runDemo(driver: string, jobs?: readonly object[]): Promise<DemoRun> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-demo-ci-'));
  for (const name of ['jobs', 'jobs.json', 'warmvm.config.json']) {
    await cp(join(DEMO, name), join(folder, name), { recursive: true });
  }
  const path = join(folder, 'warmvm.config.json');
  const config = await readFile(path, 'utf8');
  expect(config.split('\n')).toContain(DRIVER_LINE);
  await writeFile(path, config.replace(DRIVER_LINE, `  "driver": ${JSON.stringify(DRIVERS[driver]?.())},`));
  await writeFile(join(folder, 'input.txt'), 'from outside\n');
  if (jobs !== undefined) await writeFile(join(folder, 'jobs.json'), JSON.stringify(jobs));
  await using program = runProgram([], folder, {}, fromSource(join(DEMO, 'src/main.ts')));
  const { exitCode, stdout, stderr } = await program.ended;
  const results = join(folder, 'results');
  const summary = await readFile(join(results, 'summary.json'), 'utf8').catch((cause: unknown) => {
    throw new Error(`no summary was written; exit code ${exitCode}\n${stdout}\n${stderr}`, { cause });
  });
  return {
    exitCode,
    stdout,
    summary: JSON.parse(summary) as Summary,
    results,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

describe.each(Object.keys(DRIVERS))('demo-ci on %s, by one line of its configuration', (driver) => {
  test('does as everywhere, and leaves nothing on any host', { timeout: 300_000 }, async () => {
    const before = await inventory();
    await using run = await runDemo(driver, JOBS);
    const { exitCode, stdout, summary, results } = run;
    expect(summary.drivers).toEqual([driver]);
    expect(
      summary.jobs.map(({ name, outcome, message, steps, artifacts }) => [
        name,
        outcome,
        outcome === 'error' ? message.split(':')[0] : message,
        steps.map((step) => step.exitCode),
        artifacts,
      ]),
    ).toEqual(OUTCOMES);
    expect(exitCode).toBe(1);
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['[copies] from outside', '[copies] COLOUR=blue', '[fails] so far']),
    );
    expect(stdout).not.toContain('[fails] never');
    expect(await readFile(join(results, 'copies/out/copy.txt'), 'utf8')).toBe('from outside\n');
    expect(await inventory()).toEqual(before);
    await expect.poll(() => ssh.sessionPids(), { timeout: 10_000 }).toEqual([]);
  });
});

describe.each(Object.keys(DRIVERS).filter((name) => name !== 'fake'))('the jobs that come with it, on %s', (driver) => {
  test('pass, with what a job destroys there again for the next', { timeout: 300_000 }, async () => {
    const before = await inventory();
    await using run = await runDemo(driver);
    expect(run.stdout).toContain('[test] ok 1 - greets');
    expect(run.summary.jobs.map(({ name, message }) => [name, message])).toEqual(
      ['lint', 'test', 'destroy-everything', 'finds-everything-there'].map((name) => [name, '']),
    );
    expect(run.exitCode).toBe(0);
    expect(await readFile(join(run.results, 'test/report.txt'), 'utf8')).toBe('ok 1 - greets\n');
    expect(await inventory()).toEqual(before);
  });
});
