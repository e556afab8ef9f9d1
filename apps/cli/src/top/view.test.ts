import { stripVTControlCharacters } from 'node:util';
import { createPool, type PoolEvent, type PoolStats } from '@warmvm/core';
import { createFakeDriver, fakeImage } from '@warmvm/driver-fake';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PoolStatus, SlotFacts } from '../kept-pool/protocol/messages.ts';
import { PLAIN_STYLE, type TopStyle } from './style.ts';
import { topView } from './view.ts';

let stats: PoolStats;

beforeAll(async () => {
  await using driver = createFakeDriver();
  const pool = createPool({ driver, image: fakeImage() });
  stats = pool.stats();
  await pool.close();
});

const latency = { count: 3, p50Ms: 1.25, p99Ms: 42, maxMs: 43 };

function slot(number: number, facts: Partial<SlotFacts> = {}): SlotFacts {
  const free = { state: 'ready', generation: 1, turn: 0, clientPid: null, sinceMs: 61_000 };
  return { slot: number, host: 'local', machineId: `machine-${number}`, ...free, ...facts };
}

function status(slots: readonly SlotFacts[], facts: Partial<PoolStatus> = {}): PoolStatus {
  return {
    schema: 1,
    pool: 'default',
    version: '0.0.0',
    pid: 7,
    drivers: ['fake'],
    image: 'tiny',
    uptimeMs: 5_000,
    connections: 1,
    stats: { ...stats, state: 'open' },
    slots,
    latencies: { fork: latency, acquire: latency },
    ...facts,
  };
}

const ended = (slotNumber: number): PoolEvent => ({
  type: 'lease-ended',
  host: 'local',
  slot: slotNumber,
  turn: 1,
  machineId: `machine-${slotNumber}` as never,
  status: 'released',
  heldMs: 12,
  reason: undefined,
  pool: 'default',
  atMs: 0,
});

const many = Array.from({ length: 50 }, (_, index) => slot(index));
const events = many.map((_, index) => ended(index));
const view = (facts: PoolStatus, columns: number, rows: number, style: TopStyle = PLAIN_STYLE) =>
  topView({ status: facts, events }, { columns, rows }, style, 'q: leave');

describe('the view of a pool', () => {
  test('tells who has a machine, for how long, how long things take, and the last events', () => {
    const text = view(status([slot(1, { state: 'leased', clientPid: 4711 }), slot(2)]), 80, 24).join('\n');
    expect(text).toMatch(/^pool default on fake, image tiny; process 7, up 5 s\n/);
    expect(text).toMatch(/^ {2}1 +leased +1 min 1 s +process 4711 /m);
    expect(text).toMatch(/^ {2}took +acquire +fork$/m);
    expect(text).toMatch(/^ {2}p99 ms +42 +42$/m);
    expect(text).toMatch(/^ {2}\d\d:\d\d:\d\d {2}slot 49 released after 12 ms$/m);
    expect(text).toMatch(/\nq: leave$/);
  });

  test.each([1, 2, 3, 4, 5, 8, 9, 10, 14, 15, 18, 24, 40, 200])('fills %d rows, and no more, at any width', (rows) => {
    for (const slots of [[], many.slice(0, 2), many]) {
      for (const columns of [1, 2, 20, 80, 300]) {
        const lines = view(status(slots), columns, rows);
        expect(lines).toHaveLength(rows);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
        expect(lines.at(-1)).toBe('q: leave'.length <= columns ? 'q: leave' : lines.at(-1));
      }
    }
  });

  test.each([
    [6, []],
    [7, ['slot', 'more']],
    [9, ['slot', 'more']],
    [15, ['slot', 'more', 'took']],
    [24, ['slot', 'more', 'took', 'events']],
  ])('of many slots in %d rows shows %j', (rows, expected) => {
    const text = view(status(many), 80, rows).join('\n');
    const parts = { slot: /^ {2}slot /m, more: /and \d+ more$/m, took: /^ {2}took/m, events: /^ {2}events$/m };
    const shown = Object.entries(parts).filter(([, pattern]) => pattern.test(text));
    expect(shown.map(([name]) => name)).toEqual(expected);
  });

  test('says how many slots are left out, to the number', () => {
    for (let rows = 7; rows < 70; rows += 1) {
      const lines = view(status(many), 80, rows);
      const shown = lines.filter((line) => /^ {2}\d+ +ready/.test(line)).length;
      const left = /and (\d+) more/.exec(lines.join('\n'))?.[1] ?? '0';
      expect(shown + Number(left)).toBe(many.length);
    }
  });

  test('that is not open yet says so', () => {
    expect(view(status([], { stats: null, latencies: {} }), 80, 24)).toContain('being opened: there is no machine yet');
  });

  test('shows no control characters of what a host said, nor colours in place of columns', () => {
    const error = { message: 'bad\u001b[2J\u0007 disk\r\nfull\u202e' };
    const machine = { host: 'local', slot: 1, machineId: 'machine-1' as never };
    const lost: PoolEvent = { type: 'machine-lost', ...machine, error, pool: 'default', atMs: 0 };
    const style = { ...PLAIN_STYLE, state: (state: string) => `\u001b[32m${state}\u001b[39m` };
    const lines = topView({ status: status(many), events: [lost] }, { columns: 30, rows: 24 }, style, 'q');
    expect(lines.join('\n')).toContain('its machi…');
    for (const line of lines) {
      const bare = stripVTControlCharacters(line);
      expect(bare).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(bare.length).toBeLessThanOrEqual(30);
    }
    const wide = topView({ status: status([]), events: [lost] }, { columns: 200, rows: 24 }, style, 'q').join('\n');
    expect(wide).toContain('its machine is lost: bad disk full');
  });
});
