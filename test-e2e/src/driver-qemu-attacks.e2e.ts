import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, type Lease, type Pool } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { shell } from './support/tenant.ts';

const RESETS = 200;
const PRECIOUS_FILES = 40;
const LONG_MS = 3_600_000;

interface Scene extends AsyncDisposable {
  /** Closed to all but root. */
  readonly secret: string;
  /** A folder that all may see, with files of root. */
  readonly precious: string;
}

async function makeScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-attack-'));
  await chmod(folder, 0o755);
  const [secret, precious] = [join(folder, 'secret'), join(folder, 'precious')];
  await writeFile(secret, 'secret', { mode: 0o600 });
  await mkdir(precious);
  for (let index = 0; index < PRECIOUS_FILES; index += 1) await writeFile(join(precious, `file-${index}`), '');
  return { secret, precious, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** User, group and further groups of a process. */
async function identityOf(
  pid: number,
): Promise<{ readonly uid: string; readonly gid: string; readonly groups: string }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '';
  const [uid = '', gid = ''] = [field('Uid').split('\t')[0], field('Gid').split('\t')[0]];
  return { uid, gid, groups: field('Groups').split(/\s+/).filter(Boolean).join(',') };
}

/** A process with the identity of a machine's QEMU, in its folder. */
async function startAttacker(qemu: number, attack: object): Promise<ChildProcess> {
  const { uid, gid, groups } = await identityOf(qemu);
  const text = stripTypeScriptTypes(await readFile(new URL('./support/attacker.ts', import.meta.url), 'utf8'));
  // The user may not be let into the folder of this Node: it inherits the program.
  await using program = await open(process.execPath);
  const identity = ['--reuid', uid, '--regid', gid, ...(groups === '' ? ['--clear-groups'] : ['--groups', groups])];
  const node = ['/proc/self/fd/3', '--input-type=module', '-e', text, '--', JSON.stringify(attack)];
  return spawn('setpriv', [...identity, '--pdeathsig', 'KILL', '--no-new-privs', '--', ...node], {
    cwd: `/proc/${qemu}/cwd`,
    stdio: ['pipe', 'pipe', 'pipe', program.fd],
  });
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

describe.runIf(process.getuid?.() === 0)('a QEMU that was broken out of, while its neighbour is reset', () => {
  let host: QemuHost;
  let pool: Pool;
  let broken: Lease;

  beforeAll(async () => {
    host = await openQemuHost();
    const driver = createQemuDriver({ stateDirectory: host.stateDirectory });
    pool = createPool({ driver, image: await buildTinyImage(), name: 'attacks', minReady: 1, max: 2 });
    broken = await pool.acquire({ timeoutMs: 120_000, leaseMs: LONG_MS });
  });

  afterAll(async () => {
    await pool?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  test(`gains nothing in ${RESETS} resets`, { timeout: 600_000 }, async () => {
    await using scene = await makeScene();
    const neighbour = await pool.acquire({ timeoutMs: 120_000 });
    const machines = [broken.machineId, neighbour.machineId];
    await neighbour.release();
    const [golden = ''] = (await readdir(join(host.stateDirectory, 'goldens'))).filter((name) => !name.startsWith('.'));
    const memory = join(host.stateDirectory, 'goldens', golden, 'memory');
    const whole = await digestOf(memory);
    const { mode, uid, gid } = await stat(scene.secret);

    const [qemu = 0] = await host.processesWith(broken.machineId);
    const gains: string[] = [];
    const complaints: string[] = [];
    const { stateDirectory } = host;
    const attacker = await startAttacker(qemu, { stateDirectory, machines, ...scene });
    attacker.stdout?.on('data', (chunk: Buffer) => gains.push(...chunk.toString().trim().split('\n')));
    attacker.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk.toString()));
    try {
      for (let reset = 0; reset < RESETS; reset += 1) {
        const lease = await pool.acquire({ timeoutMs: 120_000 });
        expect(lease.machineId, 'the same machine, reset').toBe(machines[1]);
        attacker.stdin?.write(`${lease.generation}\n`);
        await lease.release();
      }
      expect([attacker.exitCode, attacker.signalCode, complaints]).toEqual([null, null, []]);
    } finally {
      attacker.kill('SIGKILL');
    }

    expect([...new Set(gains)].sort()).toEqual([]);
    const after = await stat(scene.secret);
    expect([after.mode, after.uid, after.gid]).toEqual([mode, uid, gid]);
    expect(await readdir(scene.precious)).toHaveLength(PRECIOUS_FILES);
    expect(await digestOf(memory)).toBe(whole);
    const last = await pool.acquire({ timeoutMs: 120_000 });
    expect(await shell(last.guest, 'hostname')).toBe(last.machineId);
    await last.release();
  });
});
