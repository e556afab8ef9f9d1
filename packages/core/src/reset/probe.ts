import type { CallOptions } from '../driver/call.ts';
import type { Driver } from '../driver/driver.ts';
import { WarmvmError } from '../driver/error.ts';
import type { Guest } from '../driver/guest.ts';
import type { Machine } from '../driver/machine.ts';

/** What a probe is told. */
export interface ProbeContext {
  /** Aborted when the probe's time is over. */
  readonly signal: AbortSignal | undefined;
  /** Generation that is to be proved ready. */
  readonly generation: number;
}

/** Proves that a guest is ready for its next user: resolves when it is, rejects when it is not. */
export type Probe = (guest: Guest, context: ProbeContext) => Promise<void>;

/** Runs the given probe; without one the guest's ping, or, where there is no guest agent, what the hypervisor says. */
export function runProbe(
  probe: Probe | undefined,
  driver: Driver,
  machine: Machine,
  options: CallOptions,
): PromiseLike<void> {
  if (probe !== undefined) {
    const context: ProbeContext = {
      // A getter, since a signal is made only when somebody looks at it.
      get signal() {
        return options.signal;
      },
      generation: machine.generation,
    };
    return probe(machine.guest, context);
  }
  return driver.capabilities.guestAgent ? machine.guest.ping(options) : checkRunning(machine, options);
}

async function checkRunning(machine: Machine, options: CallOptions): Promise<void> {
  const state = await machine.state(options);
  if (state === 'running') return;
  throw new WarmvmError('WARMVM_NOT_READY', `machine ${machine.id} is ${state}; expected it to be running`, {
    details: { machineId: machine.id, state },
  });
}
