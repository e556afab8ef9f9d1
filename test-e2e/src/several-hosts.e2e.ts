import {
  Backoff,
  createPool,
  type Driver,
  type GoldenImage,
  type Lease,
  type Pool,
  type PoolEvent,
} from '@warmvm/core';
import { createLibvirtSshDriver } from '@warmvm/driver-libvirt-ssh';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FarHost, startFarHost } from './support/far-host.ts';
import { type LibvirtHost, openLibvirtHost, storageFor } from './support/libvirt-host.ts';
import { type SshHost, startSshHost } from './support/ssh-host.ts';
import { leaveTraces, shell, tracesIn } from './support/tenant.ts';

const POOL = 'e2e-several-hosts';
const heartbeat = { everyMs: 1_000, timeoutMs: 3_000, misses: 2 };
let north: LibvirtHost;
let gate: SshHost;
let south: FarHost;
let image: GoldenImage;
let before: readonly (readonly string[])[];
let drivers: readonly Driver[] = [];
let pool: Pool;
const events: PoolEvent[] = [];

const inventories = (): Promise<readonly (readonly string[])[]> =>
  Promise.all([north.inventory(), south.libvirt.inventory()]);

beforeAll(async () => {
  north = await openLibvirtHost();
  gate = await startSshHost();
  south = await startFarHost();
  image = await buildTinyImage();
  before = await inventories();
  const storages = [await storageFor('hosts-north'), await storageFor('hosts-south')];
  const ways = [{ ...gate.options, socketPath: north.uri.replace(/^.*socket=/, '') }, south.options];
  drivers = ways.map((way, index) =>
    createLibvirtSshDriver({ ...way, ...storages[index]!, way: 'streamlocal', reconnectMs: 1_000 }),
  );
  pool = createPool({
    drivers: [
      { driver: drivers[0]!, name: 'north', max: 2 },
      { driver: drivers[1]!, name: 'south', max: 2 },
    ],
    image,
    name: POOL,
    minReady: 1,
    max: 3,
    creationBackoff: Backoff.exponential({ baseMs: 200, capMs: 1_000 }),
    breaker: { openMs: 2_000 },
    heartbeat,
  });
  (async () => {
    for await (const event of pool.events()) events.push(event);
  })().catch(() => {});
});

afterAll(async () => {
  await pool?.close();
  for (const driver of drivers) await driver[Symbol.asyncDispose]();
  await south?.[Symbol.asyncDispose]();
  await gate?.[Symbol.asyncDispose]();
  await north?.[Symbol.asyncDispose]();
});

const southern = () => pool.stats().hosts[1]!;

async function until(what: () => boolean): Promise<void> {
  await expect.poll(what, { timeout: 40_000, interval: 50 }).toBe(true);
}

test('a pool over two hosts by ssh loses the leases of the one whose network is cut, goes on with the other, and uses it again when it is back', async () => {
  await pool.ready();
  await until(() => pool.stats().hosts.every(({ isPrepared }) => isPrepared));
  const leases: Lease[] = [];
  // Which host gets the first machines is nobody's promise: each lends while the other is drained.
  for (const other of ['south', 'north']) {
    void pool.drain(other);
    leases.push(await pool.acquire({ timeoutMs: 40_000 }));
    pool.undrain(other);
  }
  const lent = (host: string): readonly Lease[] => leases.filter((lease) => lease.host === host);
  expect(leases.map(({ host }) => host).sort(), 'both hosts are used').toEqual(['north', 'south']);
  const fired = new Map(leases.map((lease) => [lease, 0]));
  for (const lease of leases) {
    lease.signal.addEventListener('abort', () => fired.set(lease, fired.get(lease)! + 1));
    await leaveTraces(lease.guest);
  }

  await south.cut('packets');
  await until(() => southern().state === 'down');
  for (const lease of lent('south')) {
    expect([lease.status, fired.get(lease)]).toEqual(['lost', 1]);
    expect(lease.signal.reason).toMatchObject({ code: 'WARMVM_HOST_LOST' });
  }
  for (const lease of lent('north')) {
    expect(await shell(lease.guest, 'echo alive')).toBe('alive');
    expect(lease.status).toBe('active');
  }

  const refilled = await pool.acquire({ timeoutMs: 40_000 });
  expect(refilled.host, 'the share of the lost one is made elsewhere').toBe('north');
  expect(await tracesIn(refilled.guest)).toEqual([]);
  expect(pool.stats().hosts[0]?.total).toBeLessThanOrEqual(2);

  await south.mend('packets');
  await until(() => southern().state === 'up' && southern().isPrepared);
  await until(() => southern().slots.destroying + southern().slots.quarantined === 0);
  const living = (await south.libvirt.inventory()).filter((line) => line.startsWith('domain'));
  expect(
    living.length,
    'what was lent there lived on, and is gone: the new golden snapshot is left, and what is ready',
  ).toBe(1 + southern().total);
  const drained = pool.drain('north');
  for (const lease of [...leases, refilled]) await lease.release();
  const again = await pool.acquire({ timeoutMs: 40_000 });
  expect(again.host, 'it is used again').toBe('south');
  expect(await tracesIn(again.guest)).toEqual([]);
  await again.release();
  expect(await drained).toBe(true);

  const ended = events.flatMap((event) =>
    event.type === 'lease-ended' && event.status === 'lost' ? [event.host] : [],
  );
  expect(ended, 'each lost lease is told once').toEqual(lent('south').map(() => 'south'));
  const told = events.filter(({ type }) => type === 'host-down' || type === 'host-up').map(({ type }) => type);
  expect(told).toEqual(['host-down', 'host-up']);
}, 120_000);

test('a daemon that goes silent is found out, its machine is not waited for, and nothing is left when it speaks again', async () => {
  const lease = await pool.acquire({ timeoutMs: 40_000 });
  expect(lease.host, 'the other is still drained').toBe('south');
  pool.undrain('north');
  await south.libvirt.pause(true);
  await until(() => lease.status === 'lost');
  expect(lease.signal.reason).toMatchObject({ code: 'WARMVM_HOST_LOST' });
  const next = await pool.acquire({ timeoutMs: 40_000 });
  expect(next.host).toBe('north');
  await south.libvirt.pause(false);
  await until(() => southern().state === 'up' && southern().isPrepared);
  await next.release();
  await until(() => southern().slots.destroying + southern().slots.quarantined === 0);
  const living = (await south.libvirt.inventory()).filter((line) => line.startsWith('domain'));
  expect(living.length).toBeLessThanOrEqual(1 + southern().total);
}, 120_000);

test('and when all is closed nothing is left on either', async () => {
  expect((await pool.close()).undestroyed).toEqual([]);
  for (const driver of drivers) await driver[Symbol.asyncDispose]();
  expect(await inventories()).toEqual(before);
}, 60_000);
