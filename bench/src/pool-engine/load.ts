import type { OpenPool } from './contender.ts';

/** One caller: acquire, release, and again. */
export async function alone(pool: OpenPool, cycles: number): Promise<void> {
  for (let count = 0; count < cycles; count += 1) {
    const resource = await pool.acquire();
    const released = pool.release(resource);
    if (released !== undefined) await released;
  }
}

/**
 * Callers who come at the same time, and stand in line again after each release.
 * @param cycles of all callers together
 * @throws RangeError when they cannot be shared evenly
 */
export async function crowd(pool: OpenPool, callers: number, cycles: number): Promise<void> {
  const each = cycles / callers;
  if (!Number.isInteger(each)) throw new RangeError(`${cycles} cycles for ${callers} callers; expected a multiple`);
  await Promise.all(Array.from({ length: callers }, () => alone(pool, each)));
}
