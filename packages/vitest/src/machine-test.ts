import type { Guest, Lease, Pool } from '@warmvm/core';
import { type TestAPI, test } from 'vitest';

/** What a test may ask for by name. */
export interface MachineFixtures {
  /** One for each worker of Vitest, opened for the first test that asks. */
  readonly pool: Pool;
  /** A machine for this test alone, as clean as its golden snapshot. */
  readonly lease: Lease;
  /** What runs in that machine; the same as `lease.guest`. */
  readonly guest: Guest;
}

/**
 * Makes the pool.
 * @param onClose takes what must end after the pool has closed, the latest first: the driver, say
 */
export type OpenPool = (onClose: (end: () => PromiseLike<void>) => void) => Pool | Promise<Pool>;

/**
 * A `test` of Vitest that has the fixtures `pool`, `lease` and `guest`. After each test its lease is released, so that the
 * machine is reset before the next one gets it; that of a test that is out of time is taken from it in the same way, and
 * what it still asks of the guest rejects. At the end of the worker the pool is closed.
 */
export function machineTest(open: OpenPool): TestAPI<MachineFixtures> {
  const extended = test
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern what a fixture needs.
    .extend('pool', { scope: 'worker' }, async ({}, { onCleanup }) => {
      const ends: (() => PromiseLike<void>)[] = [];
      const endAll = async (): Promise<void> => {
        for (const end of ends.reverse()) await end();
      };
      try {
        const pool = await open((end) => void ends.push(end));
        ends.push(async () => void (await pool.close()));
        onCleanup(endAll);
        return pool;
      } catch (error) {
        await endAll();
        throw error;
      }
    })
    .extend('lease', async ({ pool, signal }, { onCleanup }) => {
      const lease = await pool.acquire({ signal });
      onCleanup(async () => {
        await lease.release();
      });
      return lease;
    })
    .extend('guest', ({ lease }) => lease.guest);
  // Without the types that Vitest keeps its accounts with, and does not export.
  return extended as unknown as TestAPI<MachineFixtures>;
}
