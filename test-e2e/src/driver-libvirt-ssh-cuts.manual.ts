// Run by people: on a computer with other work, or two cores, single cases go over their time, and not each time the same.
import { createPool, type Driver, type GoldenImage, type Lease, type Pool, sleep, systemClock } from '@warmvm/core';
import { createLibvirtSshDriver, type LibvirtSshDriverOptions } from '@warmvm/driver-libvirt-ssh';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killQemu, type LibvirtHost, openLibvirtHost, storageFor } from './support/libvirt-host.ts';
import { type SshHost, startSshHost } from './support/ssh-host.ts';
import { type StallingProxy, startStallingProxy } from './support/stalling-proxy.ts';
import { leaveTraces, shell, tracesIn } from './support/tenant.ts';

/** Silence is found out within 3 times this. */
const KEEPALIVE_MS = 500;
const keepalive = { keepaliveIntervalMs: KEEPALIVE_MS, keepaliveCount: 2 };

let host: LibvirtHost;
let ssh: SshHost;
let storage: { storagePool: string; storagePath: string };
let image: GoldenImage;
let before: readonly string[];
let driver: Driver;
let pool: Pool;

beforeAll(async () => {
  host = await openLibvirtHost();
  ssh = await startSshHost();
  storage = await storageFor('ssh-cuts');
  image = await buildTinyImage();
  before = await host.inventory([storage.storagePath]);
  driver = open();
  pool = createPool({ driver, image, name: 'e2e-ssh-cuts', minReady: 2, max: 4 });
  await pool.ready();
});

afterAll(async () => {
  await pool?.close({ graceMs: 0 });
  await driver?.[Symbol.asyncDispose]();
  await ssh?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

const open = (more: Partial<LibvirtSshDriverOptions> = {}): Driver => {
  const socketPath = host.uri.replace(/^.*socket=/, '');
  return createLibvirtSshDriver({ ...ssh.options, ...keepalive, ...storage, socketPath, ...more });
};

/** The pool has what it wants, nothing is under way, and what is on the host is what the pool knows of. */
async function recovered(): Promise<void> {
  const settled = (): boolean => {
    const { slots, total } = pool.stats();
    return slots.ready >= 2 && slots.ready === total;
  };
  await expect.poll(settled, { timeout: 60_000, interval: 100 }).toBe(true);
  const domains = (await host.inventory()).filter(
    (line) => /^domain warmvm-e2e-ssh-cuts/.test(line) && !before.includes(line),
  );
  expect(domains).toHaveLength(pool.stats().total + 1);
}

/** Cuts every link, and waits until that has been noticed: what is asked in the moment of the cut itself fails. */
async function cut(): Promise<void> {
  await ssh.killSessions();
  await driver.ping();
}

/** Lends two at once: they are two, they are clean, and they answer. */
async function lendsGood(): Promise<void> {
  const leases = await Promise.all([pool.acquire(), pool.acquire()]);
  expect(new Set(leases.map(({ machineId }) => machineId)).size).toBe(2);
  for (const lease of leases) {
    expect(await tracesIn(lease.guest)).toEqual([]);
    await lease.release();
  }
}

describe('a link that is cut', () => {
  test('while machines are idle is made anew, and the machines are lent as if nothing had been', async () => {
    await recovered();
    const ids = new Set((await driver.list({ pool: 'e2e-ssh-cuts' })).map(({ id }) => id));
    await cut();
    const lease = await pool.acquire();
    expect(ids).toContain(lease.machineId);
    expect(await shell(lease.guest, 'echo alive')).toBe('alive');
    await lease.release();
    await recovered();
    await lendsGood();
  });

  test('during a lease leaves the lease, its guest and what the tenant has there', async () => {
    await recovered();
    const lease = await pool.acquire();
    await shell(lease.guest, 'echo mine > /run/mine');
    await cut();
    expect(await shell(lease.guest, 'cat /run/mine')).toBe('mine');
    expect(lease.signal.aborted).toBe(false);
    await lease.release();
    await recovered();
  });

  test('during a command costs that command alone', async () => {
    await recovered();
    const lease = await pool.acquire();
    const running = expect(lease.guest.exec(['sleep', '60'])).rejects.toMatchObject({
      code: 'WARMVM_GUEST_UNRESPONSIVE',
      retryable: true,
    });
    await sleep(systemClock, 300);
    await ssh.killSessions();
    await running;
    await driver.ping();
    expect(lease.signal.aborted).toBe(false);
    expect(await shell(lease.guest, 'echo still here')).toBe('still here');
    await lease.release();
    await recovered();
  });

  test('in which a lent machine dies is told to its lease once', async () => {
    await recovered();
    const [dead, alive] = await Promise.all([pool.acquire(), pool.acquire()]);
    let told = 0;
    dead.signal.addEventListener('abort', () => {
      told += 1;
    });
    await Promise.all([ssh.killSessions(), killQemu(dead.machineId)]);
    await expect.poll(() => dead.signal.aborted, { timeout: 20_000 }).toBe(true);
    expect(dead.signal.reason).toMatchObject({ code: expect.stringMatching(/^WARMVM_MACHINE_(CRASHED|GONE)$/) });
    expect(told).toBe(1);
    await driver.ping();
    expect(await shell(alive.guest, 'echo alive')).toBe('alive');
    await alive.release();
    await recovered();
  });

  test.each([0, 50, 150, 300, 600])('%i ms into a reset is recovered from, and no dirt is lent', async (afterMs) => {
    await recovered();
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    for (const lease of leases) await leaveTraces(lease.guest);
    for (const lease of leases) await lease.release();
    await sleep(systemClock, afterMs);
    await ssh.killSessions();
    await recovered();
    await lendsGood();
    await recovered();
  });

  test.each([0, 100, 300, 700])('%i ms into forks is recovered from, and nothing is left of them', async (afterMs) => {
    await recovered();
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    const more = Promise.all([pool.acquire({ timeoutMs: 60_000 }), pool.acquire({ timeoutMs: 60_000 })]);
    await sleep(systemClock, afterMs);
    await ssh.killSessions();
    await driver.ping();
    const all: readonly Lease[] = [...leases, ...(await more)];
    expect(new Set(all.map(({ machineId }) => machineId)).size).toBe(4);
    for (const lease of all) {
      expect(await shell(lease.guest, 'echo alive')).toBe('alive');
      await lease.release();
    }
    await expect.poll(() => pool.stats().total, { timeout: 60_000, interval: 100 }).toBeLessThanOrEqual(4);
  });
});

describe('a link that is cut while a golden snapshot is made', () => {
  test.each(['upload', 'agent'] as const)('at step %s: the pool fills all the same', async (step) => {
    const own = open();
    let cut = false;
    const cutting = Object.assign(Object.create(own) as Driver, {
      prepare: (given: GoldenImage, options: Parameters<Driver['prepare']>[1]) =>
        own.prepare(given, {
          ...options,
          onProgress: (progress) => {
            if (progress.step !== step || cut) return;
            cut = true;
            void ssh.killSessions();
          },
        }),
    });
    const present = await host.inventory([storage.storagePath]);
    const filling = createPool({ driver: bound(cutting, own), image, name: 'e2e-ssh-prepare', minReady: 1, max: 1 });
    await expect.poll(() => filling.stats().slots.ready, { timeout: 280_000, interval: 250 }).toBe(1);
    expect(cut).toBe(true);
    await filling.close({ graceMs: 0 });
    await own[Symbol.asyncDispose]();
    const left = (await host.inventory([storage.storagePath])).filter((line) => line.includes('e2e-ssh-prepare'));
    expect(left).toEqual([]);
    expect(present.length).toBeGreaterThan(0);
  });

  /** Methods of a class with private members must be called on the instance itself. */
  function bound(outer: Pick<Driver, 'prepare'>, inner: Driver): Driver {
    return {
      specificationVersion: 1,
      name: inner.name,
      capabilities: inner.capabilities,
      prepare: outer.prepare,
      fork: (golden, options) => inner.fork(golden, options),
      list: (owner, options) => inner.list(owner, options),
      adopt: (record, options) => inner.adopt(record, options),
      remove: (record, options) => inner.remove(record, options),
      ping: (options) => inner.ping(options),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  }
});

describe('a network that swallows packets', () => {
  let proxy: StallingProxy;
  let far: Driver;

  const throughProxy = async (more: Partial<LibvirtSshDriverOptions>): Promise<Pool> => {
    proxy = await startStallingProxy(ssh.port);
    const knownHosts = `${ssh.keys.folder}/proxied`;
    far = open({ port: proxy.port, hostKeys: 'accept-new', knownHosts, ...more });
    const own = createPool({ driver: far, image, name: 'e2e-ssh-stall', minReady: 1, max: 2 });
    await own.ready();
    return own;
  };

  const ended = async (own: Pool): Promise<void> => {
    await own.close({ graceMs: 0 });
    await far[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    expect((await host.inventory()).filter((line) => line.includes('e2e-ssh-stall'))).toEqual([]);
  };

  test('is found out within the stated bound, and the lease goes on over another connection', {
    timeout: 300_000,
  }, async () => {
    const own = await throughProxy({});
    const lease = await own.acquire();
    await shell(lease.guest, 'echo mine > /run/mine');
    proxy.stall();
    expect(await shell(lease.guest, 'cat /run/mine').catch(() => shell(lease.guest, 'cat /run/mine'))).toBe('mine');
    expect(lease.signal.aborted).toBe(false);
    await lease.release();
    await ended(own);
  });

  test('for too long loses the host: leases are told once, and the pool comes back when the network does', {
    timeout: 300_000,
  }, async () => {
    const own = await throughProxy({ reconnectMs: 1_000, connectTimeoutMs: 1_000 });
    const lease = await own.acquire();
    let told = 0;
    lease.signal.addEventListener('abort', () => {
      told += 1;
    });
    proxy.takesNew = false;
    proxy.stall();
    await expect.poll(() => lease.signal.aborted, { timeout: 30_000 }).toBe(true);
    expect(lease.signal.reason).toMatchObject({ code: 'WARMVM_HOST_LOST' });
    proxy.takesNew = true;
    const next = await own.acquire({ timeoutMs: 90_000 });
    expect(await shell(next.guest, 'echo back')).toBe('back');
    expect(next.machineId).not.toBe(lease.machineId);
    expect(told).toBe(1);
    await next.release();
    await ended(own);
  });
});

test('nothing of all this is left', async () => {
  await pool.close({ graceMs: 0 });
  await driver[Symbol.asyncDispose]();
  expect(await host.inventory([storage.storagePath])).toEqual(before);
  await expect.poll(() => ssh.sessionPids(), { timeout: 10_000 }).toEqual([]);
});
