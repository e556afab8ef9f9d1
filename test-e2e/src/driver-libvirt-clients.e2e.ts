import { createPool, type GoldenImage, type Lease } from '@warmvm/core';
import { createLibvirtDriver } from '@warmvm/driver-libvirt';
import { createLibvirtSshDriver, type LibvirtSshDriverOptions } from '@warmvm/driver-libvirt-ssh';
import { buildTinyImage } from '@warmvm/guest-image';
import { type Client, openClient } from '@warmvm/libvirt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FarHost, startFarHost } from './support/far-host.ts';
import { storageFor } from './support/libvirt-host.ts';
import { shell } from './support/tenant.ts';

/** A daemon that takes so few clients that a handful of machines would take them all. */
const MOST = 8;
/** Two for the driver, one for each of three machines: three places are left to others. */
const OURS = 5;
let far: FarHost;
let image: GoldenImage;
let before: readonly string[];
let options: LibvirtSshDriverOptions;

beforeAll(async () => {
  far = await startFarHost([`max_clients = ${MOST}`, 'max_anonymous_clients = 4', 'max_queued_clients = 4']);
  image = await buildTinyImage();
  before = await far.libvirt.inventory();
  options = { ...far.options, ...(await storageFor('clients')), way: 'streamlocal', maxClients: OURS };
});

afterAll(async () => {
  await far?.[Symbol.asyncDispose]();
});

/** What an error and its causes say. */
function toldBy(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${toldBy(error.cause)}` : '';
}

test('a pool that may have more machines than its daemon has clients stops before, says why, and leaves room for others', {
  timeout: 300_000,
}, async () => {
  await using driver = createLibvirtSshDriver(options);
  const pool = createPool({ driver, image, name: 'e2e-clients', minReady: 0, max: 6 });
  try {
    const leases: Lease[] = [];
    for (let index = 0; index < OURS - 2; index += 1) leases.push(await pool.acquire({ timeoutMs: 120_000 }));
    const refusal = await pool.acquire({ timeoutMs: 15_000 }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'WARMVM_ACQUIRE_TIMEOUT' });
    expect(toldBy(refusal)).toContain(`${OURS} connections to the daemon are open, as many as maxClients allows`);
    // Others get in, two at a time, and those who have a machine go on with it.
    const others = await Promise.all([far.libvirt.virsh('list', '--name'), far.libvirt.virsh('list', '--name')]);
    for (const { machineId } of leases) expect(others[0]).toContain(machineId);
    for (const lease of leases) expect(await shell(lease.guest, 'echo alive')).toBe('alive');
    // A machine that is given back serves the next one.
    await leases[0]!.release();
    const next = await pool.acquire({ timeoutMs: 120_000 });
    expect(await shell(next.guest, 'echo alive')).toBe('alive');
  } finally {
    await pool.close({ graceMs: 0 });
  }
  await driver[Symbol.asyncDispose]();
  expect(await far.libvirt.inventory()).toEqual(before);
});

test('a daemon that others have filled up is named as what it is, and serves again when they have left', {
  timeout: 120_000,
}, async () => {
  const others: Client[] = [];
  const join = (): Promise<Client | undefined> =>
    openClient({ uri: far.libvirt.uri, openTimeoutMs: 1_000 }).catch(() => undefined);
  try {
    for (let next = await join(); next !== undefined; next = await join()) others.push(next);
    expect(others.length).toBeGreaterThan(0);
    await using driver = createLibvirtDriver({ uri: far.libvirt.uri, connectTimeoutMs: 2_000 });
    const refusal = await driver.ping().catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'WARMVM_HOST_UNREACHABLE',
      details: { remedy: expect.stringContaining('max_clients in libvirtd.conf') },
    });
    for (const other of others.splice(0)) await other.close();
    await expect.poll(() => driver.ping().then(({ host }) => host, String), { timeout: 30_000 }).not.toMatch(/Error/);
  } finally {
    for (const other of others) await other.close();
  }
  expect(await far.libvirt.inventory()).toEqual(before);
});
