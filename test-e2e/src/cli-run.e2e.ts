import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LibvirtHost, openLibvirtHost, storageFor } from './support/libvirt-host.ts';
import { runProgram } from './support/main-program.ts';

// A pool of this run alone: what another computer or container left is kept by a sweep, and must not be counted here.
const run = randomBytes(3).toString('hex');
let host: LibvirtHost;
let folder: string;
let state: string;

beforeAll(async () => {
  host = await openLibvirtHost();
  folder = await mkdtemp(join(tmpdir(), 'warmvm-cli-'));
  // Not below /tmp: what is there, QEMU's user may not be let through to.
  state = await mkdtemp('/var/lib/warmvm-cli-');
});

afterAll(async () => {
  await host?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
  await rm(state, { recursive: true, force: true });
});

/** The line of the configuration that is changed. */
async function driverOf(name: 'qemu' | 'libvirt'): Promise<unknown> {
  if (name === 'qemu') return { use: 'qemu', options: { stateDirectory: state } };
  return { use: 'libvirt', options: { uri: host.uri, ...(await storageFor('cli')) } };
}

async function program(...words: readonly string[]) {
  await using running = runProgram(words, folder);
  return await running.ended;
}

describe.each(['qemu', 'libvirt'] as const)('warmvm on %s, by the one line that names the driver', (name) => {
  beforeAll(async () => {
    const config = { driver: await driverOf(name), pool: { name: `cli-${name}-${run}` } };
    await writeFile(join(folder, 'warmvm.config.json'), JSON.stringify(config));
  });

  test('passes on output, complaints and the exit code', async () => {
    const ended = await program(
      'run',
      '-e',
      'COLOUR=blue',
      '-w',
      '/etc',
      '--',
      'sh',
      '-c',
      'echo $COLOUR; pwd >&2; exit 7',
    );
    expect(ended).toEqual({ exitCode: 7, stdout: 'blue\n', stderr: '/etc\n' });
  });

  test('runs a job: sources in, tests in the machine, report out', async () => {
    await writeFile(join(folder, 'test.sh'), 'echo "machine $(hostname)" > /tmp/report; test "$(uname -s)" = Linux\n');
    const job = [
      'run',
      '--json',
      '--copy-in',
      'test.sh',
      '--copy-out',
      '/tmp/report:report',
      '--',
      'sh',
      '/tmp/test.sh',
    ];
    const { exitCode, stdout } = await program(...job);
    const told = JSON.parse(stdout) as { machineId: string; durationsMs: Record<string, number> };
    expect(exitCode).toBe(0);
    expect(Object.keys(told.durationsMs)).toEqual([
      'open',
      'lend',
      'copyIn',
      'command',
      'copyOut',
      'giveBack',
      'close',
    ]);
    expect(await readFile(join(folder, 'report'), 'utf8')).toBe(`machine ${told.machineId}\n`);
  });

  test('says with exit codes of its own what was not the command’s failure', async () => {
    expect(await program('run', '--', 'nonesuch')).toMatchObject({ exitCode: 127 });
    expect(await program('run', '-t', '500ms', '--', 'sleep', '600')).toMatchObject({ exitCode: 124 });
    expect(await program('run', '--copy-out', '/tmp/none:none', '--', 'true')).toMatchObject({ exitCode: 125 });
  });

  test('gives the machine up when it is interrupted', async () => {
    await using running = runProgram(['run', '--', 'sh', '-c', 'echo begun; sleep 600'], folder);
    await running.prints('begun');
    running.signal('SIGINT');
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('interrupted: destroying what was made');
    expect(await program('sweep', '--dry-run')).toMatchObject({
      exitCode: 0,
      stdout: expect.not.stringContaining('machine '),
    });
  });

  test('sweeps what a killed run left, and not what a living one has', async () => {
    await using living = runProgram(['run', '--', 'sh', '-c', 'echo begun; sleep 600'], folder);
    await living.prints('begun');
    const killed = runProgram(['run', '--', 'sh', '-c', 'echo begun; sleep 600'], folder);
    await killed.prints('begun');
    killed.kill('SIGKILL');
    await killed.ended;
    const { exitCode, stdout } = await program('sweep', '--json');
    const objects = (JSON.parse(stdout) as { objects: { kind: string; owner: { fate: string }; outcome: string }[] })
      .objects;
    expect(exitCode).toBe(0);
    expect(objects.filter(({ owner }) => owner.fate === 'dead').every(({ outcome }) => outcome === 'removed')).toBe(
      true,
    );
    expect(objects.some(({ kind, owner }) => kind === 'machine' && owner.fate === 'alive')).toBe(true);
    living.signal('SIGINT');
    expect((await living.ended).exitCode).toBe(130);
  });
});
