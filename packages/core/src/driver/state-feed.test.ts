import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { MachineChange, MachineState } from './machine.ts';
import { StateFeed } from './state-feed.ts';

function change(state: MachineState, generation = 1): MachineChange {
  return { state, reason: 'told by the test', generation };
}

describe('StateFeed', () => {
  test('gives each watcher the present state first', async () => {
    const feed = new StateFeed(change('starting'));
    feed.publish(change('running'));
    const watcher = feed.watch();
    expect((await watcher.next()).value).toEqual(change('running'));
    await watcher.return();
  });

  test('gives a change that comes while the watcher waits', async () => {
    const feed = new StateFeed(change('running'));
    const watcher = feed.watch();
    await watcher.next();
    const next = watcher.next();
    feed.publish(change('crashed'));
    expect((await next).value).toEqual(change('crashed'));
    await watcher.return();
  });

  test('gives a slow watcher the newest change alone', async () => {
    const feed = new StateFeed(change('starting'));
    const watcher = feed.watch();
    await watcher.next();
    feed.publish(change('running'));
    feed.publish(change('paused'));
    feed.publish(change('stopped'));
    expect((await watcher.next()).value).toEqual(change('stopped'));
    feed.end();
    expect(await watcher.next()).toEqual({ done: true, value: undefined });
  });

  test('tells nobody of what is no change, and of the same state in a new generation', async () => {
    const feed = new StateFeed(change('running'));
    const watcher = feed.watch();
    await watcher.next();
    const next = watcher.next();
    feed.publish({ ...change('running'), reason: 'another word for it' });
    expect(feed.present.reason).toBe('told by the test');
    feed.publish(change('running', 2));
    expect((await next).value).toEqual(change('running', 2));
    await watcher.return();
  });

  test('serves several watchers at once, each at its own pace', async () => {
    const feed = new StateFeed(change('starting'));
    const [quick, slow] = [feed.watch(), feed.watch()];
    await quick.next();
    await slow.next();
    feed.publish(change('running'));
    expect((await quick.next()).value).toEqual(change('running'));
    feed.publish(change('stopped'));
    expect((await quick.next()).value).toEqual(change('stopped'));
    expect((await slow.next()).value).toEqual(change('stopped'));
    feed.end();
  });

  test('gives the last change before the end', async () => {
    const feed = new StateFeed(change('running'));
    const watcher = feed.watch();
    await watcher.next();
    feed.publish(change('stopped'));
    feed.end();
    expect((await watcher.next()).value).toEqual(change('stopped'));
    expect((await watcher.next()).done).toBe(true);
  });

  test('wakes a waiting watcher at the end, and hears of nothing after it', async () => {
    const feed = new StateFeed(change('running'));
    const watcher = feed.watch();
    await watcher.next();
    const next = watcher.next();
    feed.end();
    expect((await next).done).toBe(true);
    feed.publish(change('crashed'));
    expect(feed.present).toEqual(change('running'));
  });

  test('gives its error to every watcher at once, later ones included, whatever is pending', async () => {
    const feed = new StateFeed(change('running'));
    const [waiting, late] = [feed.watch(), feed.watch()];
    await waiting.next();
    const next = waiting.next();
    feed.publish(change('stopped'));
    const lost = new Error('the host is lost');
    feed.fail(lost);
    await expect(next.then(() => waiting.next())).rejects.toBe(lost);
    await expect(late.next()).rejects.toBe(lost);
    await expect(feed.watch().next()).rejects.toBe(lost);
  });

  test('keeps the first of its ends', async () => {
    const feed = new StateFeed(change('running'));
    feed.end();
    feed.fail(new Error('too late'));
    const watcher = feed.watch();
    await watcher.next();
    expect((await watcher.next()).done).toBe(true);
  });

  test('throws the reason of a signal that was aborted before', async () => {
    const reason = new Error('left');
    await expect(new StateFeed(change('running')).watch(AbortSignal.abort(reason)).next()).rejects.toBe(reason);
  });

  test('throws the reason of a signal that aborts while the watcher waits, and leaves no listener', async () => {
    const controller = new AbortController();
    const watcher = new StateFeed(change('running')).watch(controller.signal);
    await watcher.next();
    const next = watcher.next();
    const reason = new Error('left');
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('leaves no listener on the signal of a watcher that stops', async () => {
    const { signal } = new AbortController();
    for await (const seen of new StateFeed(change('running')).watch(signal)) {
      expect(seen.state).toBe('running');
      break;
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
