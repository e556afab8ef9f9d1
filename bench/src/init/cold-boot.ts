import { createHash } from 'node:crypto';
import type { Driver, GoldenImage } from '@warmvm/core';
import { benchOwner } from '../owner.ts';
import type { SuiteContext } from '../suite.ts';

const COLD_POOL = 'bench-cold';

/** When a boot began and when its agent answered. */
export interface ColdBoot {
  readonly startedAt: number;
  readonly answeredAt: number;
}

/** The same image under a digest that no host knows. */
export function unknownImage(image: GoldenImage, salt: string): GoldenImage {
  const digest = `sha256:${createHash('sha256').update(`${image.digest} ${salt}`).digest('hex')}`;
  return { ...image, name: 'cold', digest };
}

/** What the making of a golden snapshot takes from the start of its machine to its agent's first answer; it is removed again. */
export async function coldBoot(
  { clock, signal }: SuiteContext,
  driver: Driver,
  image: GoldenImage,
  salt: string,
): Promise<ColdBoot> {
  const pool = `${COLD_POOL}-${salt}`;
  let startedAt = Number.NaN;
  let answeredAt = Number.NaN;
  await driver.prepare(unknownImage(image, salt), {
    owner: benchOwner(pool),
    signal,
    onProgress({ step }) {
      if (step === 'boot') startedAt = clock.now();
      if (step === 'warm-up') answeredAt = clock.now();
    },
  });
  await removeAll(driver, pool, signal);
  return { startedAt, answeredAt };
}

/** Everything of a pool: the next round must find nothing. */
export async function removeAll(driver: Driver, pool: string, signal: AbortSignal): Promise<void> {
  for (const record of await driver.list({ pool }, { signal })) await driver.remove(record, { signal });
}
