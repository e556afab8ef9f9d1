import { describe, expect, test } from 'vitest';
import type { OpenPool } from './contender.ts';
import { alone, crowd } from './load.ts';

class CountingPool implements OpenPool {
  cycles = 0;
  most = 0;
  #now = 0;

  async acquire(): Promise<object> {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    return {};
  }

  async release(): Promise<void> {
    this.#now -= 1;
    this.cycles += 1;
  }

  async close(): Promise<void> {}
}

describe('load', () => {
  test('one caller goes through every cycle and never holds two', async () => {
    const pool = new CountingPool();
    await alone(pool, 7);
    expect(pool).toMatchObject({ cycles: 7, most: 1 });
  });

  test('a crowd asks all at once and shares the cycles', async () => {
    const pool = new CountingPool();
    await crowd(pool, 5, 20);
    expect(pool).toMatchObject({ cycles: 20, most: 5 });
  });

  test('a crowd refuses cycles that it cannot share evenly', async () => {
    await expect(crowd(new CountingPool(), 3, 10)).rejects.toThrow('10 cycles for 3 callers');
  });
});
