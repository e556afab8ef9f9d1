import {
  createPool,
  type Driver,
  type GoldenSnapshot,
  type Machine,
  type MachineState,
  type Pool,
  type PoolEvent,
  waitForState,
} from '@warmvm/core';
import { createLibvirtDriver } from '@warmvm/driver-libvirt';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killQemu, type LibvirtHost, openLibvirtHost, storageFor } from './support/libvirt-host.ts';
import { ownerOf } from './support/tenant.ts';

/** What virsh says, and what we must say then. */
const ORACLE: Readonly<Record<string, MachineState>> = {
  'running (from snapshot)': 'running',
  'running (unpaused)': 'running',
  'paused (user)': 'paused',
  'shut off (destroyed)': 'stopped',
  'shut off (crashed)': 'crashed',
  'shut off (shutdown)': 'stopped',
};

const owner = ownerOf('e2e-oracle');
let host: LibvirtHost;
let before: readonly string[];
let storagePath: string;
let driver: Driver;
let golden: GoldenSnapshot;

beforeAll(async () => {
  host = await openLibvirtHost();
  const storage = await storageFor('oracle');
  storagePath = storage.storagePath;
  before = await host.inventory([storagePath]);
  driver = createLibvirtDriver({ uri: host.uri, ...storage });
  golden = await driver.prepare(await buildTinyImage(), { owner });
});

afterAll(async () => {
  await driver?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

/** Follows a machine's watch from now on. */
function watch(machine: Machine): { readonly reaches: (state: MachineState) => Promise<void> } {
  let present: MachineState | undefined;
  let tell = (): void => {};
  void (async () => {
    for await (const { state } of machine.watch()) {
      present = state;
      tell();
    }
  })();
  return {
    reaches: (wanted) =>
      new Promise((resolve) => {
        tell = () => {
          if (present === wanted) resolve();
        };
        tell();
      }),
  };
}

/** Holds both our ways of telling the state against what virsh says after a change. */
async function expectOracle(machine: Machine, events: ReturnType<typeof watch>, said: string): Promise<void> {
  const expected = ORACLE[said];
  expect(expected).toBeDefined();
  await events.reaches(expected!);
  await waitForState(machine, expected!);
  expect(await host.stateOf(machine.id)).toBe(said);
  expect(await machine.state()).toBe(expected);
}

describe('what virsh says of a machine', () => {
  test('is what we say: forked, suspended, resumed, reset, crashed', async () => {
    await using machine = await driver.fork(golden, { owner });
    const events = watch(machine);
    await expectOracle(machine, events, 'running (from snapshot)');
    await host.virsh('suspend', machine.id);
    await expectOracle(machine, events, 'paused (user)');
    await host.virsh('resume', machine.id);
    await expectOracle(machine, events, 'running (unpaused)');
    await machine.reset();
    await expectOracle(machine, events, 'running (unpaused)');
    await killQemu(machine.id);
    await expectOracle(machine, events, 'shut off (crashed)');
  });

  test('is what we say: destroyed from outside', async () => {
    await using machine = await driver.fork(golden, { owner });
    const events = watch(machine);
    await expectOracle(machine, events, 'running (from snapshot)');
    await host.virsh('destroy', machine.id);
    await expectOracle(machine, events, 'shut off (destroyed)');
  });

  test('is what we say: powered off by its own guest', async () => {
    await using machine = await driver.fork(golden, { owner });
    const events = watch(machine);
    await machine.guest.exec(['/bin/sh', '-c', 'poweroff -f &']).catch(() => {});
    await expectOracle(machine, events, 'shut off (shutdown)');
  });
});

describe('a ready machine of a pool', () => {
  const injuries: readonly (readonly [string, (machine: string) => Promise<unknown>])[] = [
    ['killed', killQemu],
    ['suspended', (machine) => host.virsh('suspend', machine)],
    ['destroyed', (machine) => host.virsh('destroy', machine)],
  ];
  test.each(injuries)('that is %s from outside is thrown out, replaced, and never lent', async (_name, injure) => {
    await using pool = createPool({ driver, image: golden.image, name: 'e2e-oracle', minReady: 2, max: 3 });
    const { events, left } = follow(pool);
    await pool.ready();
    const victim = readyIn(events)[0]!;

    await injure(victim);
    await left(victim);
    await pool.ready();

    const lent = await Promise.all([pool.acquire(), pool.acquire()]);
    for (const { machineId, guest } of lent) {
      expect(machineId).not.toBe(victim);
      await guest.ping();
    }
    const uses = events.filter((event) => event.type === 'slot-changed' && event.machineId === victim);
    expect(uses.map((event) => event.type === 'slot-changed' && event.to)).not.toContain('leased');
  });

  function follow(pool: Pool): { events: PoolEvent[]; left: (machine: string) => Promise<void> } {
    const events: PoolEvent[] = [];
    let tell = (): void => {};
    void (async () => {
      for await (const event of pool.events()) {
        events.push(event);
        tell();
      }
    })();
    const left = (machine: string): Promise<void> =>
      new Promise((resolve) => {
        tell = () => {
          if (!readyIn(events).includes(machine)) resolve();
        };
        tell();
      });
    return { events, left };
  }

  function readyIn(events: readonly PoolEvent[]): readonly string[] {
    const ready = new Set<string>();
    for (const event of events) {
      if (event.type !== 'slot-changed' || event.machineId === null) continue;
      if (event.to === 'ready') ready.add(event.machineId);
      else ready.delete(event.machineId);
    }
    return [...ready];
  }
});

describe('the end of it', () => {
  test('leaves the host as it was before', async () => {
    await driver[Symbol.asyncDispose]();
    expect(await host.inventory([storagePath])).toEqual(before);
  });
});
