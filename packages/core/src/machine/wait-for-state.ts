import { Backoff } from '../backoff/backoff.ts';
import type { CallOptions } from '../driver/call.ts';
import { type Clock, sleep, systemClock } from '../driver/clock.ts';
import { isWarmvmError, WarmvmError } from '../driver/error.ts';
import type { Machine, MachineState } from '../driver/machine.ts';
import { checkDurationMs } from '../validation/check.ts';

/** Options of {@link waitForState}. */
export interface WaitForStateOptions extends CallOptions {
  /** After this it rejects with `WARMVM_NOT_READY`. @default 30000 */
  readonly timeoutMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** How often the state is asked for, beside the events. @default Backoff.statePolling() */
  readonly backoff?: Backoff;
}

/** The states to wait for: one, or whatever the function says yes to. */
export type StateCondition = MachineState | ((state: MachineState) => boolean);

/**
 * Resolves with the state as soon as the machine is in one that is wanted. Event first: the watch is registered, then
 * the state is asked for, then events count on top; asking goes on by the backoff, for hypervisors without events and
 * for events that got lost.
 * @throws WARMVM_NOT_READY when the time is over, with the last state seen; WARMVM_MACHINE_GONE, WARMVM_HOST_LOST as soon
 * as the machine says so; the signal's reason; what the condition throws. RangeError, TypeError for a bad option, synchronously
 */
export function waitForState(
  machine: Machine,
  condition: StateCondition,
  options: WaitForStateOptions = {},
): Promise<MachineState> {
  const { clock = systemClock, backoff = Backoff.statePolling(), timeoutMs = 30_000, signal } = options;
  checkDurationMs('timeoutMs', timeoutMs, { minimum: 0 });
  const wanted = typeof condition === 'function' ? condition : (state: MachineState): boolean => state === condition;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const inner = new AbortController();
    let lastSeen: MachineState | undefined;
    const end = (settle: () => void): void => {
      if (inner.signal.aborted) return;
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      settle();
      inner.abort();
    };
    const onAbort = (): void => end(() => reject(signal?.reason));
    const onState = (state: MachineState): void => {
      lastSeen = state;
      try {
        if (wanted(state)) end(() => resolve(state));
      } catch (error) {
        end(() => reject(error));
      }
    };
    const onError = (error: unknown): void => {
      if (isFinal(error)) end(() => reject(error));
    };
    const timer = clock.setTimer(() => end(() => reject(tooLate(machine, lastSeen, timeoutMs))), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    follow(machine, inner.signal, onState).catch(onError);
    // What is left to throw here is a backoff of the caller's own.
    poll(machine, inner.signal, { clock, backoff, onState, onError }).catch((error) => end(() => reject(error)));
  });
}

async function follow(machine: Machine, signal: AbortSignal, onState: (state: MachineState) => void): Promise<void> {
  for await (const change of machine.watch({ signal })) {
    if (signal.aborted) return;
    if (change.generation >= machine.generation) onState(change.state);
  }
}

async function poll(
  machine: Machine,
  signal: AbortSignal,
  at: {
    readonly clock: Clock;
    readonly backoff: Backoff;
    readonly onState: (state: MachineState) => void;
    readonly onError: (error: unknown) => void;
  },
): Promise<void> {
  const delays = at.backoff[Symbol.iterator]();
  while (!signal.aborted) {
    const generation = machine.generation;
    try {
      const state = await machine.state({ signal });
      // A reset that was begun meanwhile makes this the state of a machine that is no more.
      if (!signal.aborted && machine.generation === generation) at.onState(state);
    } catch (error) {
      if (!signal.aborted) at.onError(error);
    }
    if (signal.aborted) return;
    await sleep(at.clock, delays.next().value, signal).catch(() => {});
  }
}

function isFinal(error: unknown): boolean {
  return isWarmvmError(error, 'WARMVM_MACHINE_GONE') || isWarmvmError(error, 'WARMVM_HOST_LOST');
}

function tooLate(machine: Machine, lastSeen: MachineState | undefined, timeoutMs: number): WarmvmError {
  const seen = lastSeen === undefined ? 'its state was never seen' : `it is ${lastSeen}`;
  return new WarmvmError(
    'WARMVM_NOT_READY',
    `machine ${machine.id} did not come to the state in ${timeoutMs} ms: ${seen}`,
    {
      retryable: true,
      details: { machineId: machine.id, lastSeen: lastSeen ?? null, timeoutMs },
    },
  );
}
