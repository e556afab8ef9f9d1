import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, type Driver, type GoldenImage } from '@warmvm/core';
import { createLibvirtSshDriver, type SshWay } from '@warmvm/driver-libvirt-ssh';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LibvirtHost, openLibvirtHost, storageFor } from './support/libvirt-host.ts';
import { runProgram } from './support/main-program.ts';
import { type SshHost, startSshHost } from './support/ssh-host.ts';
import { farPrograms } from './support/ssh-refusal.ts';
import { ALL_TRACES, leaveTraces, ownerOf, shell, tracesIn } from './support/tenant.ts';

const owner = ownerOf('e2e-ssh');
let host: LibvirtHost;
let ssh: SshHost;
let storage: { storagePool: string; storagePath: string };
let image: GoldenImage;

beforeAll(async () => {
  host = await openLibvirtHost();
  ssh = await startSshHost();
  storage = await storageFor('ssh');
  image = await buildTinyImage();
});

afterAll(async () => {
  await ssh?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

const open = (way: SshWay | 'auto', more: object = {}): Driver => {
  const socketPath = way === 'helper' ? {} : { socketPath: host.uri.replace(/^.*socket=/, '') };
  return createLibvirtSshDriver({ ...ssh.options, ...storage, ...socketPath, way, ...more });
};

describe.each(['streamlocal', 'helper', 'netcat'] as const)('libvirt over ssh by %s', (way) => {
  test('prepares, forks, resets and leaves nothing, neither on the host nor on the way to it', {
    timeout: 180_000,
  }, async () => {
    const before = await host.inventory([storage.storagePath]);
    const driver = open(way);
    expect(await driver.ping()).toMatchObject({ hypervisor: expect.stringContaining('libvirt') });
    const fractions: number[] = [];
    const golden = await driver.prepare(image, {
      owner,
      onProgress: ({ step, fraction }) => {
        if (step === 'upload' && fraction !== undefined) fractions.push(fraction);
      },
    });
    expect(fractions.at(-1)).toBe(1);
    const machines = await Promise.all([driver.fork(golden, { owner }), driver.fork(golden, { owner })]);
    for (const machine of machines) {
      await leaveTraces(machine.guest);
      expect(await tracesIn(machine.guest)).toEqual(ALL_TRACES);
      await machine.reset();
      expect(await tracesIn(machine.guest)).toEqual([]);
    }
    expect((await driver.list(owner)).map(({ id }) => id)).toEqual(
      expect.arrayContaining(machines.map(({ id }) => id)),
    );
    await driver[Symbol.asyncDispose]();
    expect(await host.inventory([storage.storagePath])).toEqual(before);
    await expect.poll(() => ssh.sessionPids(), { timeout: 10_000 }).toEqual([]);
    expect(await farPrograms()).toEqual([]);
  });
});

describe('a pool over ssh', () => {
  test('lends, takes back and closes as a local one does', { timeout: 180_000 }, async () => {
    const before = await host.inventory([storage.storagePath]);
    const driver = open('auto');
    const pool = createPool({ driver, image, name: 'e2e-ssh-pool', minReady: 2, max: 3 });
    await pool.ready();
    const lease = await pool.acquire();
    expect(await shell(lease.guest, 'echo hello')).toBe('hello');
    await lease.release();
    await pool.close({ graceMs: 0 });
    await driver[Symbol.asyncDispose]();
    expect(await host.inventory([storage.storagePath])).toEqual(before);
  });
});

describe('warmvm start --driver libvirt-ssh', () => {
  test('plays on a host that a URI names, and leaves nothing there', { timeout: 300_000 }, async () => {
    const before = await host.inventory(['/var/lib/libvirt/images/warmvm'], 'main job too');
    const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-start-ssh-'));
    const { keyFile, knownHosts, port } = ssh.options;
    const query = `keyfile=${keyFile}&known_hosts=${knownHosts}&socket=${host.uri.replace(/^.*socket=/, '')}`;
    const uri = `qemu+ssh://root@127.0.0.1:${port}/system?${query}`;
    await using program = runProgram(
      ['start', '--driver', 'libvirt-ssh', '--uri', uri, '--samples', '2', '--json', 'report.json'],
      folder,
    );
    const { exitCode, stdout, stderr } = await program.ended;
    expect(stderr).toBe('');
    expect(stdout).toContain('proved: nothing is left behind');
    expect(exitCode).toBe(0);
    expect(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'))).toMatchObject({
      driver: 'libvirt-ssh',
      proofs: { markerAbsentAfterReset: true, killedMachineEvicted: true, leftBehind: 0 },
    });
    await rm(folder, { recursive: true });
    expect(await host.inventory(['/var/lib/libvirt/images/warmvm'], 'main job too')).toEqual(before);
    await expect.poll(() => ssh.sessionPids(), { timeout: 10_000 }).toEqual([]);
  });
});
