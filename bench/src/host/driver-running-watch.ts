import type { Clock, Machine } from '@warmvm/core';
import type { RunningWatch } from './bench-host.ts';

/** What a driver itself says of one of its machines, for drivers that say so before the guest is renewed. */
export function watchRunningOf(machine: Machine, clock: Clock): RunningWatch {
  const end = new AbortController();
  let lastAt: number | undefined;
  const reading = (async () => {
    for await (const { state } of machine.watch({ signal: end.signal })) if (state === 'running') lastAt = clock.now();
  })().catch(() => {});
  return {
    lastRunningAt: () => lastAt,
    async [Symbol.asyncDispose]() {
      end.abort();
      await reading;
    },
  };
}
