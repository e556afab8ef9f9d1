import { channel } from 'node:diagnostics_channel';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../testing/index.ts';
import { EVENT_BUFFER, EventHub, POOL_CHANNEL } from './event-hub.ts';
import { makeReadyPool } from './fixtures/pool-fixture.ts';
import type { PoolEvent } from './pool-event.ts';

function makeHub(sinks: ((event: PoolEvent) => void)[] = []): EventHub {
  return new EventHub('test', new VirtualClock(), sinks);
}

describe('events', () => {
  test('of one slot come in the order of their cause, with slot, turn and generation', async () => {
    const { pool, settle, events } = await makeReadyPool({ max: 1 });
    await (await pool.acquire()).release();
    await settle();
    const moves = events.filter((event) => event.type === 'slot-changed');
    expect(moves.map(({ to, turn, generation }) => `${to} ${turn} ${generation}`)).toEqual([
      'creating 0 null',
      'settling 0 1',
      'ready 0 1',
      'leased 1 1',
      'resetting 1 1',
      'settling 1 2',
      'ready 1 2',
    ]);
    expect(moves.every((event) => event.slot === 1 && event.pool === 'default')).toBe(true);
  });

  test('end when the pool has closed', async () => {
    const { pool } = await makeReadyPool();
    const types: string[] = [];
    const reading = (async () => {
      for await (const event of pool.events()) types.push(event.type);
    })();
    await pool.close();
    await reading;
    expect(types.at(-1)).toBe('closed');
    expect(await pool.events().next()).toEqual({ done: true, value: undefined });
  });

  test('are not made while nobody listens', async () => {
    const hub = makeHub();
    expect(hub.wanted).toBe(false);
    const reader = hub.read();
    expect(hub.wanted).toBe(true);
    await reader.return?.();
    expect(hub.wanted).toBe(false);
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  test('that a slow reader does not take are dropped from the oldest, and counted', async () => {
    const hub = makeHub();
    const reader = hub.read();
    for (let max = 1; max <= EVENT_BUFFER + 500; max += 1) hub.emit({ type: 'resized', minReady: 0, max });
    expect((await reader.next()).value).toMatchObject({ type: 'events-dropped', count: 500 });
    expect((await reader.next()).value).toMatchObject({ type: 'resized', max: 501 });
    for (let max = 1; max <= 3 * EVENT_BUFFER; max += 1) hub.emit({ type: 'resized', minReady: 0, max });
    expect((await reader.next()).value).toMatchObject({ type: 'events-dropped' });
    expect((await reader.next()).value).toMatchObject({ type: 'resized', max: 2 * EVENT_BUFFER + 1 });
  });

  test('reach every caller of next, however many there are at once', async () => {
    const hub = makeHub();
    const reader = hub.read();
    const both = [reader.next(), reader.next()];
    hub.emit({ type: 'suspended' });
    hub.emit({ type: 'resumed' });
    const types = (await Promise.all(both)).map(({ value }) => value?.type);
    expect(types).toEqual(['suspended', 'resumed']);
  });

  test('reach the others when one listener throws', () => {
    const seen: string[] = [];
    const hub = makeHub([
      () => {
        throw new Error('broken listener');
      },
      (event) => seen.push(event.type),
    ]);
    hub.emit({ type: 'suspended' });
    expect(seen).toEqual(['suspended']);
  });

  test('go to the diagnostics channel', async () => {
    const seen: unknown[] = [];
    const listener = (event: unknown): void => void seen.push(event);
    channel(POOL_CHANNEL).subscribe(listener);
    try {
      const { pool } = await makeReadyPool({ name: 'channelled' });
      await pool.close();
    } finally {
      channel(POOL_CHANNEL).unsubscribe(listener);
    }
    expect(seen).toContainEqual(expect.objectContaining({ type: 'closed', pool: 'channelled' }));
  });

  test('a listener that calls the pool in the middle of a step does not confuse it', async () => {
    const { pool, driver } = await makeReadyPool({ minReady: 1, max: 2 });
    const listener = (event: unknown): void => {
      if ((event as PoolEvent).type === 'lease-ended') pool.resize({ max: 3 });
    };
    channel(POOL_CHANNEL).subscribe(listener);
    try {
      await (await pool.acquire()).release();
    } finally {
      channel(POOL_CHANNEL).unsubscribe(listener);
    }
    await pool.close();
    expect(driver.machines.size).toBe(0);
  });
});
