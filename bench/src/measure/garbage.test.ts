import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { GarbageWatch } from './garbage.ts';

describe('GarbageWatch', () => {
  test('counts a collection and the time it took', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const watch = new GarbageWatch();
    collect();
    await watch.stop();
    expect(watch.collections.count).toBeGreaterThan(0);
    expect(watch.collections.durationMs).toBeGreaterThan(0);
  });
});
