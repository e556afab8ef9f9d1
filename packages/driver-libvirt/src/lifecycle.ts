import { type MachineState, WarmvmError } from '@warmvm/core/driver';
import { DomainState } from '@warmvm/libvirt';

/** A machine state with the hypervisor's word for it. */
export interface ObservedState {
  readonly state: MachineState;
  readonly reason: string;
}

/** Reasons of shutoff that are not a normal end: crashed (3) and failed (6). See `virDomainShutoffReason`. */
const SHUTOFF_CRASHED = 3;
const SHUTOFF_FAILED = 6;
/** Reason of running that follows a panic: crashed (9). See `virDomainRunningReason`. */
const PAUSED_STARTING_UP = 11;

/** What `domainGetState` says, in our words. */
export function stateOf(state: number, reason: number): ObservedState {
  switch (state) {
    case DomainState.RUNNING:
    case DomainState.BLOCKED:
      return { state: 'running', reason: `running (${reason})` };
    case DomainState.PAUSED:
      return reason === PAUSED_STARTING_UP
        ? { state: 'starting', reason: 'starting up' }
        : { state: 'paused', reason: `paused (${reason})` };
    case DomainState.PMSUSPENDED:
      return { state: 'paused', reason: 'suspended by the guest' };
    case DomainState.SHUTDOWN:
      return { state: 'stopping', reason: 'shutting down' };
    case DomainState.SHUTOFF:
      return reason === SHUTOFF_CRASHED || reason === SHUTOFF_FAILED
        ? { state: 'crashed', reason: `shut off (${reason})` }
        : { state: 'stopped', reason: `shut off (${reason})` };
    case DomainState.CRASHED:
      return { state: 'crashed', reason: `crashed (${reason})` };
    default:
      return { state: 'unknown', reason: `state ${state} (${reason})` };
  }
}

/** `virDomainEventStoppedDetailType`: crashed 2, failed 5. */
const STOPPED_CRASHED = 2;
const STOPPED_FAILED = 5;

/**
 * What a lifecycle event says by itself. Undefined: it says nothing of the state (defined, undefined), or something that a
 * reset also causes on its way (suspended, resumed, stopped for a snapshot) and that must be asked for.
 */
export function stateOfEvent(event: number, detail: number): ObservedState | undefined {
  switch (event) {
    case 5:
      if (detail === 6) return undefined;
      return detail === STOPPED_CRASHED || detail === STOPPED_FAILED
        ? { state: 'crashed', reason: `stopped (${detail})` }
        : { state: 'stopped', reason: `stopped (${detail})` };
    case 6:
      return { state: 'stopping', reason: `shutdown (${detail})` };
    case 8:
      return { state: 'crashed', reason: `crashed (${detail})` };
    default:
      return undefined;
  }
}

/** Whether a lifecycle event means: look again. */
export function asksForState(event: number, detail: number): boolean {
  return event === 2 || event === 3 || event === 4 || event === 7 || (event === 5 && detail === 6);
}

/** @throws WARMVM_MACHINE_CRASHED, WARMVM_NOT_READY when it does not run, with what showed that as the cause */
export function requireRunning(machine: string, state: MachineState, cause?: unknown): void {
  if (state === 'running') return;
  const code = state === 'crashed' ? 'WARMVM_MACHINE_CRASHED' : 'WARMVM_NOT_READY';
  throw new WarmvmError(code, `machine ${machine} cannot be adopted: it is ${state}`, {
    details: { machine, state, expected: 'running' },
    ...(cause === undefined ? {} : { cause }),
  });
}
