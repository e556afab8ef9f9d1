import type { Machine } from '@warmvm/core/driver';
import { whetherSettled } from './assertions.ts';
import type { KitContext } from './context.ts';
import type { Workplace } from './workplace.ts';

/** A fork that has begun and is not over: the caller goes on in the same tick. */
export async function forkUnderWay(
  context: KitContext,
  workplace: Workplace,
): Promise<{ readonly forking: Promise<Machine> }> {
  const { driver, owner } = workplace;
  const golden = await workplace.golden();
  for (let waitMs = Math.min(5, context.scaled(50)); ; waitMs = waitMs < 1 ? 0 : waitMs / 2) {
    const forking = driver.fork(golden, { owner });
    const isOver = whetherSettled(forking);
    if (waitMs > 0) await context.pause(waitMs);
    if (!isOver()) return { forking };
    // It was faster than that: the next one is let alone for less.
    await (await forking)[Symbol.asyncDispose]();
  }
}
