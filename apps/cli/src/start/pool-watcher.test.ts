import type { Pool, PoolEvent } from '@warmvm/core';
import { VirtualClock } from '@warmvm/core/testing';
import { describe, expect, test } from 'vitest';
import { PoolWatcher } from './pool-watcher.ts';

/** A pool of which only the events are used, which the test makes up. */
function makeWatcher() {
  const clock = new VirtualClock();
  const queue: PoolEvent[] = [];
  let wake = (): void => {};
  const pool = {
    async *events() {
      for (;;) {
        const event = queue.shift();
        if (event !== undefined) yield event;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  } as unknown as Pool;
  const tell = async (machineId: string | null, from: string, to: string): Promise<void> => {
    queue.push({ type: 'slot-changed', machineId, from, to } as PoolEvent);
    wake();
    await clock.settle();
  };
  return { clock, watcher: new PoolWatcher(pool, clock), tell };
}

describe('PoolWatcher', () => {
  test('knows which machines are ready', async () => {
    const { watcher, tell } = makeWatcher();
    await tell('one', 'probing', 'ready');
    await tell('two', 'probing', 'ready');
    await tell(null, 'absent', 'creating');
    await tell('one', 'ready', 'leased');
    expect(watcher.ready).toEqual(['two']);
  });

  test('gives the first event that matches, with the moment at which it came', async () => {
    const { clock, watcher, tell } = makeWatcher();
    const seen = watcher.becomesReady('two', new AbortController().signal);
    await tell('one', 'probing', 'ready');
    await tell('two', 'probing', 'resetting');
    await clock.advance(40);
    await tell('two', 'resetting', 'ready');
    await clock.advance(40);
    await tell('two', 'resetting', 'ready');
    expect(await seen).toMatchObject({ event: { machineId: 'two', to: 'ready' }, seenAtMs: clock.now() - 40 });
  });

  test('looks only at what comes after the question', async () => {
    const { watcher, tell } = makeWatcher();
    await tell('one', 'probing', 'ready');
    const abort = new AbortController();
    const seen = watcher.becomesReady('one', abort.signal);
    abort.abort(new Error('enough'));
    await expect(seen).rejects.toThrow('enough');
  });

  test('rejects at once for a signal that is aborted already', async () => {
    const { watcher } = makeWatcher();
    const reason = new Error('too late');
    await expect(watcher.next(() => true, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('answers several who wait for the same', async () => {
    const { watcher, tell } = makeWatcher();
    const { signal } = new AbortController();
    const waits = [watcher.becomesReady('one', signal), watcher.becomesReady('one', signal)];
    await tell('one', 'probing', 'ready');
    expect(await Promise.all(waits)).toHaveLength(2);
  });
});
