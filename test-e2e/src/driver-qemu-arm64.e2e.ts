import { createPool, type Driver, type GoldenSnapshot, type Machine, systemClock } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { ALL_TRACES, identityOf, leaveTraces, ownerOf, shell, tracesIn } from './support/tenant.ts';

/** On x86-64 such guests are emulated, several times slower than the computer's own under emulation. */
const SLOW = { bootTimeoutMs: 300_000, agentTimeoutMs: 60_000, clockToleranceMs: 200 };
const RESEED = '/usr/lib/warmvm/reseed';

let host: QemuHost;
let driver: Driver;
let golden: GoldenSnapshot;
let machines: readonly [Machine, Machine];
const owner = ownerOf('e2e-qemu-arm64');
/** The first random draw, the machine id and the boot id of every generation of every machine. */
const identities: string[] = [];

beforeAll(async () => {
  host = await openQemuHost();
  driver = createQemuDriver({ ...SLOW, stateDirectory: host.stateDirectory });
  const image = await buildTinyImage({ architecture: 'aarch64' });
  golden = await timed('boot and snapshot', () => driver.prepare(image, { owner }));
  const fork = (): Promise<Machine> => timed('fork', () => driver.fork(golden, { owner }));
  machines = await Promise.all([fork(), fork()]);
}, 600_000);

afterAll(async () => {
  await driver?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

async function timed<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const startedAt = systemClock.now();
  const result = await work();
  console.info(`arm64, ${what}: ${Math.round(systemClock.now() - startedAt)} ms`);
  return result;
}

/** Dirties a machine, resets it, and holds it against everything that a reset promises. */
async function expectCleanAfterReset(machine: Machine): Promise<void> {
  const { generation } = machine;
  await leaveTraces(machine.guest);
  expect(await tracesIn(machine.guest)).toEqual(ALL_TRACES);
  const tenants = await identityOf(machine.guest);

  await timed('reset', () => machine.reset());

  expect(machine.generation).toBe(generation + 1);
  expect(await tracesIn(machine.guest)).toEqual([]);
  expect(await shell(machine.guest, 'hostname')).toBe(machine.id);
  const renewed = await identityOf(machine.guest);
  expect(renewed.filter((part) => tenants.includes(part))).toEqual([]);
  identities.push(...renewed);
}

describe('machines of arm64 forked from one golden template on QEMU', { timeout: 300_000 }, () => {
  test('are arm64, in a program for it, and emulated where the computer is not', async () => {
    const report = await driver.ping();
    if (process.arch !== 'arm64') {
      expect(report).toMatchObject({
        acceleration: 'tcg',
        accelerationReason: expect.stringContaining('guests for aarch64 are emulated'),
      });
    }
    for (const { guest } of machines) expect(await shell(guest, 'uname -m')).toBe('aarch64');
  });

  test('share neither name nor identity nor randomness', async () => {
    for (const machine of machines) {
      expect(await host.processesWith(machine.id)).toHaveLength(1);
      expect(await shell(machine.guest, 'hostname')).toBe(machine.id);
      identities.push(...(await identityOf(machine.guest)));
    }
    expect(new Set(identities).size).toBe(identities.length);
  });

  test('lose every trace of a tenant by a reset', async () => {
    for (const machine of machines) await expectCleanAfterReset(machine);
    expect(new Set(identities).size).toBe(identities.length);
  });

  test('find every program where people call it, in one folder', async () => {
    const [{ guest }] = machines;
    const listed = await shell(guest, 'for name in $(busybox --list); do [ -x /bin/$name ] || echo $name; done');
    expect(listed).toBe('');
    const others = 'for folder in /sbin /usr/bin /usr/sbin; do [ $folder/env -ef /bin/env ] && echo $folder; done';
    expect(await shell(guest, others)).toBe('/sbin\n/usr/bin\n/usr/sbin');
  });

  test.each([
    ['credits 64 bytes and reseeds', `head -c 64 /dev/zero | ${RESEED}`, 0],
    ['takes a seed that comes in pieces', `(head -c 1 /dev/zero; usleep 50000; head -c 63 /dev/zero) | ${RESEED}`, 0],
    [
      'fails without a device',
      `mv /dev/urandom /dev/u; head -c 64 /dev/zero | ${RESEED}; x=$?; mv /dev/u /dev/urandom; (exit $x)`,
      1,
    ],
    ['fails on an empty seed', `${RESEED} </dev/null`, 2],
    ['fails on a seed of 63 bytes', `head -c 63 /dev/zero | ${RESEED}`, 2],
    ['fails where it may not credit', `head -c 64 /dev/zero | unshare -U ${RESEED}`, 3],
    ['has a stand-in for hwclock that does nothing and succeeds', '/sbin/hwclock -w', 0],
  ])('have a reseed program that %s', async (_, script, exitCode) => {
    const [{ guest }] = machines;
    expect(await shell(guest, `${script}; echo $?`)).toBe(String(exitCode));
  });
});

describe('an arm64 machine of two processors', { timeout: 600_000 }, () => {
  test('runs both of them as a fork, and ends when its guest powers off', async () => {
    const image = await buildTinyImage({ architecture: 'aarch64', virtualCpus: 2 });
    await using machine = await driver.fork(await driver.prepare(image, { owner }), { owner });
    expect(await shell(machine.guest, 'grep -c ^processor /proc/cpuinfo')).toBe('2');
    expect(await shell(machine.guest, 'taskset 2 uname -m')).toBe('aarch64');
    await shell(machine.guest, '(usleep 300000; poweroff -f) </dev/null >/dev/null 2>&1 &');
    await expect.poll(() => machine.state(), { timeout: 60_000 }).toBe('stopped');
  });
});

describe('a pool of arm64 machines with processes that wait', { timeout: 300_000 }, () => {
  test('lends clean machines, and leaves nothing', async () => {
    const before = await host.inventory();
    {
      await using waiting = createQemuDriver({ ...SLOW, stateDirectory: host.stateDirectory, standby: 1 });
      const pool = createPool({ driver: waiting, image: golden.image, name: 'e2e-arm64', minReady: 1, max: 2 });
      for (let cycle = 0; cycle < 4; cycle += 1) {
        await using lease = await pool.acquire({ timeoutMs: 120_000 });
        expect(await tracesIn(lease.guest)).toEqual([]);
        await leaveTraces(lease.guest);
      }
      await pool.close({ graceMs: 10_000 });
    }
    expect(await host.inventory()).toEqual(before);
  });
});

describe('the end of a driver of arm64 machines', () => {
  test('leaves nothing but the golden template for the next one', async () => {
    await driver[Symbol.asyncDispose]();
    expect(await host.inventory()).toEqual([]);
  });
});
