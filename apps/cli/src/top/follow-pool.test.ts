import { systemClock } from '@warmvm/core';
import { describe, expect, test } from 'vitest';
import { connectPool } from '../kept-pool/client/find-pool.ts';
import { keptPool } from '../kept-pool/fixtures/kept-pool.ts';
import { followPool, type PoolUpdate } from './follow-pool.ts';
import { endLine, UpdateLines } from './lines.ts';

const never = new AbortController().signal;

async function following(kept: Awaited<ReturnType<typeof keptPool>>, signal: AbortSignal = never) {
  const connection = (await connectPool('default', undefined, kept.place))!;
  const updates: PoolUpdate[] = [];
  const onUpdate = (update: PoolUpdate): void => void updates.push(update);
  const end = followPool(connection, { signal, clock: systemClock, onUpdate });
  end.catch(() => {});
  await expect.poll(() => updates.length).toBeGreaterThan(0);
  return { connection, updates, end };
}

describe('whoever follows a pool', () => {
  test('is told of it, of its events with what they led to, and of its end', async () => {
    await using kept = await keptPool();
    const { updates, end, connection } = await following(kept);
    const lease = await kept.pool.acquire();
    const leased = ({ status }: PoolUpdate): boolean => status.slots.some(({ state }) => state === 'leased');
    await expect.poll(() => updates.some(leased)).toBe(true);
    await lease.release();
    await kept.pool.close();
    const { facts, events } = await end;
    expect(facts).toMatchObject({ revoked: 0, undestroyed: 0 });
    const told = [...updates.flatMap((update) => update.events), ...events].map(({ type }) => type);
    expect(told).toEqual(expect.arrayContaining(['acquire-settled', 'lease-ended', 'closing']));
    expect(told.at(-1)).toBe('closed');
    connection.close();
  });

  test('may give it up, and what is asked for is asked for no more', async () => {
    await using kept = await keptPool();
    const leaving = new AbortController();
    const { end, connection } = await following(kept, leaving.signal);
    leaving.abort(new Error('enough'));
    await expect(end).rejects.toThrow('enough');
    connection.close();
  });

  test('is told when its process goes without a word', async () => {
    await using kept = await keptPool();
    const { end, connection } = await following(kept);
    connection.close();
    await expect(end).rejects.toMatchObject({ code: 'WARMVM_POOL_CLOSED' });
  });
});

describe('a line for an update', () => {
  test('is there when something is new, and not when only time has passed', async () => {
    await using kept = await keptPool();
    const { updates, connection } = await following(kept);
    const [update] = updates as [PoolUpdate];
    const lines = new UpdateLines();
    expect(JSON.parse(lines.next(update) ?? '')).toMatchObject({ type: 'update', schema: 1, pool: 'default' });
    const later = { ...update.status, uptimeMs: update.status.uptimeMs + 1_000 };
    expect(lines.next({ status: later, events: [] })).toBeUndefined();
    expect(lines.next({ status: { ...later, connections: 9 }, events: [] })).toMatch(/"connections":9.*\n$/);
    connection.close();
  });

  test('of the end says how the pool ended', () => {
    const facts = { durationMs: 5, revoked: 0, undestroyed: 0 };
    expect(JSON.parse(endLine('ci', { facts, events: [] }))).toEqual({
      type: 'ended',
      schema: 1,
      pool: 'ci',
      ...facts,
      events: [],
    });
  });
});
