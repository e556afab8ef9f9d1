import { Backoff, type Clock, isWarmvmError, type Machine, sleep, waitForState } from '@warmvm/core';

const FIXED_POLL_MS = 500;
const LONGEST_MS = 60_000;

/** A way of learning that a machine has ended; resolves with the time at which it was known. */
export type Observer = (machine: Machine, clock: Clock, signal: AbortSignal) => Promise<number>;

/** What the pool listens to. */
export const byEvent: Observer = async (machine, clock, signal) => {
  for await (const { state } of machine.watch({ signal })) if (isOver(state)) break;
  return clock.now();
};

/** Asking by the default backoff alone, as where a hypervisor has no events. */
export const byBackoff: Observer = async (machine, clock, signal) => {
  const options = { clock, signal, backoff: Backoff.statePolling(), timeoutMs: LONGEST_MS };
  await waitForState(withoutEvents(machine), isOver, options).catch(exceptGone);
  return clock.now();
};

/** Asking every 500 ms, as is usual. */
export const byFixedPoll: Observer = async (machine, clock, signal) => {
  while (!isOver(await machine.state({ signal }).catch(exceptGone))) await sleep(clock, FIXED_POLL_MS, signal);
  return clock.now();
};

/** Anything but running; a machine whose QEMU is dying may be said to stop at first. */
function isOver(state: string): boolean {
  return state === 'crashed' || state === 'stopped' || state === 'stopping';
}

function exceptGone(error: unknown): 'stopped' {
  if (isWarmvmError(error, 'WARMVM_MACHINE_GONE')) return 'stopped';
  throw error;
}

function withoutEvents(machine: Machine): Machine {
  return Object.create(machine, {
    watch: { value: (options: { signal: AbortSignal }) => silence(options.signal) },
    state: { value: machine.state.bind(machine) },
    generation: { get: () => machine.generation },
  }) as Machine;
}

/** Nothing, until the signal. */
async function* silence(signal: AbortSignal): AsyncGenerator<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
