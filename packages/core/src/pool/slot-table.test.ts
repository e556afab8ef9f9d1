import { describe, expect, test } from 'vitest';
import type { Machine } from '../driver/index.ts';
import { Permits } from './permits.ts';
import type { PoolHost } from './pool-host.ts';
import type { AnySlotState } from './slot.ts';
import { SlotTable } from './slot-table.ts';
import {
  countSupply,
  countTotal,
  creationsWanted,
  excessOver,
  makeCounts,
  type SlotCounts,
  surplusOf,
  targetOf,
} from './supply.ts';

const host = { counts: makeCounts(), health: { epoch: 0 }, begun: 0 } as unknown as PoolHost;
const machine = {} as Machine;

describe('SlotTable', () => {
  test('counts by state, in the same step as the move, and tells of it afterwards', () => {
    const seen: [AnySlotState, AnySlotState, number][] = [];
    const table = new SlotTable((_, from, to) => seen.push([from, to, countTotal(table.counts)]));
    const slot = table.add(host);
    table.move(slot, { kind: 'settling', machine });
    table.move(slot, { kind: 'ready', machine, sinceMs: 0 });
    expect(table.counts).toMatchObject({ creating: 0, settling: 0, ready: 1 });
    table.move(slot, { kind: 'destroying', machine, attempts: 1 });
    expect(table.total).toBe(1);
    table.move(slot, undefined);
    expect(countTotal(table.counts)).toBe(0);
    expect(table.total).toBe(0);
    expect([...table.slots]).toEqual([]);
    expect(seen.map(([from, to, total]) => `${from} ${to} ${total}`)).toEqual([
      'absent creating 1',
      'creating settling 1',
      'settling ready 1',
      'ready destroying 1',
      'destroying absent 0',
    ]);
  });

  test('refuses a move that skips the probe', () => {
    const table = new SlotTable(() => {});
    const slot = table.add(host);
    expect(() => table.move(slot, { kind: 'ready', machine, sinceMs: 0 })).toThrow(/from creating to ready/);
    expect(table.counts).toMatchObject({ creating: 1, ready: 0 });
  });

  test('gives the slot that became ready last, whatever left in between', () => {
    const table = new SlotTable(() => {});
    const slots = [table.add(host), table.add(host), table.add(host)];
    for (const slot of slots) {
      table.move(slot, { kind: 'settling', machine });
      table.move(slot, { kind: 'ready', machine, sinceMs: 0 });
    }
    const [first, middle, last] = slots;
    expect(table.newestReady).toBe(last);
    table.move(middle!, { kind: 'destroying', machine, attempts: 1 });
    table.move(last!, { kind: 'destroying', machine, attempts: 1 });
    expect(table.newestReady).toBe(first);
    table.move(first!, { kind: 'destroying', machine, attempts: 1 });
    expect(table.newestReady).toBeUndefined();
  });
});

describe('supply', () => {
  const none: SlotCounts = {
    creating: 0,
    settling: 0,
    ready: 0,
    leased: 0,
    resetting: 0,
    destroying: 0,
    quarantined: 0,
  };

  test('aims at what is lent, what is waited for and the spares, within max', () => {
    expect(targetOf({ ...none, leased: 2 }, { waiting: 3, minReady: 1, max: 10 })).toBe(6);
    expect(targetOf({ ...none, leased: 2 }, { waiting: 30, minReady: 1, max: 10 })).toBe(10);
  });

  test('counts what is on its way as there', () => {
    const counts = { ...none, creating: 1, settling: 1, resetting: 1, ready: 1, leased: 1 };
    expect(countSupply(counts)).toBe(5);
    expect(creationsWanted(counts, { waiting: 0, minReady: 4, max: 10 }, 0)).toBe(0);
    expect(creationsWanted(counts, { waiting: 2, minReady: 4, max: 10 }, 0)).toBe(2);
  });

  test('leaves no room where something is dying or given up', () => {
    const counts = { ...none, destroying: 2, quarantined: 1 };
    expect(creationsWanted(counts, { waiting: 5, minReady: 1, max: 4 }, 0)).toBe(1);
    expect(creationsWanted(counts, { waiting: 5, minReady: 1, max: 3 }, 0)).toBe(0);
  });

  test('wants another in place of one that is past its age', () => {
    expect(creationsWanted({ ...none, ready: 1 }, { waiting: 0, minReady: 1, max: 2 }, 1)).toBe(1);
    expect(creationsWanted({ ...none, ready: 1 }, { waiting: 0, minReady: 1, max: 1 }, 1)).toBe(0);
  });

  test('finds too much only above max, and surplus only above the spares', () => {
    expect(excessOver({ ...none, ready: 3, destroying: 5 }, 2)).toBe(1);
    expect(surplusOf({ ...none, ready: 3 }, { waiting: 0, minReady: 1, max: 4 })).toBe(2);
    expect(surplusOf({ ...none, ready: 1, resetting: 1 }, { waiting: 0, minReady: 1, max: 4 })).toBe(0);
    expect(surplusOf({ ...none, ready: 2, leased: 2 }, { waiting: 0, minReady: 1, max: 4 })).toBe(1);
  });
});

describe('Permits', () => {
  test('hands out no more than the limit, and takes each back once', () => {
    const permits = new Permits(2);
    const first = permits.tryTake();
    permits.tryTake();
    expect(permits.tryTake()).toBeUndefined();
    first?.release();
    first?.release();
    expect(permits.inUse).toBe(1);
    expect(permits.tryTake()).toBeDefined();
    expect(permits.tryTake()).toBeUndefined();
    expect(permits.limit).toBe(2);
  });
});
