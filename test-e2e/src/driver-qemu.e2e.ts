import { createPool, type Driver, type GoldenSnapshot, type Machine } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { ALL_TRACES, identityOf, leaveTraces, ownerOf, shell, tracesIn } from './support/tenant.ts';

let host: QemuHost;
let driver: Driver;
let golden: GoldenSnapshot;
let machines: readonly Machine[];
const owner = ownerOf('e2e-qemu');
/** The first random draw, the machine id and the boot id of every generation of every machine. */
const identities: string[] = [];

beforeAll(async () => {
  host = await openQemuHost();
  driver = createQemuDriver({ stateDirectory: host.stateDirectory });
  golden = await driver.prepare(await buildTinyImage(), { owner });
  machines = await Promise.all([driver.fork(golden, { owner }), driver.fork(golden, { owner })]);
});

afterAll(async () => {
  await driver?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

/** Dirties a machine, resets it, and holds it against everything that a reset promises. */
async function expectCleanAfterReset(machine: Machine): Promise<void> {
  const { generation } = machine;
  await leaveTraces(machine.guest);
  expect(await tracesIn(machine.guest)).toEqual(ALL_TRACES);
  const tenants = await identityOf(machine.guest);

  await machine.reset();

  expect(machine.generation).toBe(generation + 1);
  expect(await machine.state()).toBe('running');
  expect(await tracesIn(machine.guest)).toEqual([]);
  expect(await shell(machine.guest, 'hostname')).toBe(machine.id);
  expect(Math.abs((await machine.guest.timeMs()) - Date.now())).toBeLessThan(2000);
  const renewed = await identityOf(machine.guest);
  expect(renewed.filter((part) => tenants.includes(part))).toEqual([]);
  identities.push(...renewed);
}

describe('machines forked from one golden template on QEMU', () => {
  test('run commands, and share neither name nor identity nor randomness', async () => {
    for (const machine of machines) {
      expect(machine.generation).toBe(1);
      expect(await machine.state()).toBe('running');
      expect(await host.processesWith(machine.id)).toHaveLength(1);
      expect(await shell(machine.guest, 'echo $((6 * 7)); hostname')).toBe(`42\n${machine.id}`);
      identities.push(...(await identityOf(machine.guest)));
    }
    expect(new Set(identities).size).toBe(identities.length);
  });

  test('lose every trace of a tenant by a reset, as often as they are reset, two at a time', async () => {
    const [first, second] = machines as [Machine, Machine];
    await Promise.all([expectCleanAfterReset(first), expectCleanAfterReset(second)]);
    await expectCleanAfterReset(first);
    expect(new Set(identities).size).toBe(identities.length);
  });

  test('are another process after a reset, and the old one is gone', async () => {
    const [machine] = machines as [Machine];
    const before = await host.processesWith(machine.id);
    await machine.reset();
    const after = await host.processesWith(machine.id);
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });
});

describe('many machines of one template', () => {
  test('draw different random bytes, forked all at once and reset all at once', { timeout: 300_000 }, async () => {
    const many = await Promise.all(Array.from({ length: 6 }, () => driver.fork(golden, { owner })));
    const drawn = await Promise.all(many.map(({ guest }) => identityOf(guest)));
    await Promise.all(many.map((machine) => machine.reset()));
    drawn.push(...(await Promise.all(many.map(({ guest }) => identityOf(guest)))));
    const parts = drawn.flat();
    expect(new Set(parts).size).toBe(parts.length);
    await Promise.all(many.map((machine) => machine[Symbol.asyncDispose]()));
  });

  test('have a clock that is right within 50 ms', async () => {
    const machine = await driver.fork(golden, { owner });
    const errors: number[] = [];
    for (let look = 0; look < 10; look += 1) {
      const before = Date.now();
      const guest = await machine.guest.timeMs();
      errors.push(guest < before ? before - guest : Math.max(0, guest - Date.now()));
    }
    // A slow answer says little: the best of them counts.
    expect(Math.min(...errors)).toBeLessThanOrEqual(50);
    await machine[Symbol.asyncDispose]();
  });
});

describe('a pool on QEMU with processes that wait', () => {
  test('leaves nothing after 60 cycles of lend, dirty and reset', { timeout: 600_000 }, async () => {
    const before = await host.inventory();
    {
      await using waiting = createQemuDriver({ stateDirectory: host.stateDirectory, standby: 2 });
      const pool = createPool({ driver: waiting, image: golden.image, name: 'e2e-cycles', minReady: 2, max: 4 });
      const tenant = async (): Promise<void> => {
        for (let cycle = 0; cycle < 15; cycle += 1) {
          await using lease = await pool.acquire();
          expect(await tracesIn(lease.guest)).toEqual([]);
          await leaveTraces(lease.guest);
        }
      };
      await Promise.all([tenant(), tenant(), tenant(), tenant()]);
      await pool.close({ graceMs: 10_000 });
    }
    expect(await host.inventory()).toEqual(before);
  });
});

describe('the end of a driver on QEMU', () => {
  test('leaves nothing but the golden template for the next one', async () => {
    await driver[Symbol.asyncDispose]();
    expect(await host.inventory()).toEqual([]);
  });
});
