import { type ErrorCode, isWarmvmError, type MachineId, type MachineState, WarmvmError } from '@warmvm/core/driver';
import type { FaultOperation } from './faults.ts';

/** A wrong argument: a mistake in the calling program, thrown as it is. */
export class ArgumentError extends TypeError {}

const CODES: Readonly<Record<FaultOperation, ErrorCode>> = {
  prepare: 'WARMVM_HOST_OPERATION',
  fork: 'WARMVM_FORK_FAILED',
  list: 'WARMVM_HOST_OPERATION',
  adopt: 'WARMVM_HOST_OPERATION',
  remove: 'WARMVM_HOST_OPERATION',
  ping: 'WARMVM_HOST_OPERATION',
  state: 'WARMVM_HOST_OPERATION',
  watch: 'WARMVM_HOST_OPERATION',
  event: 'WARMVM_HOST_OPERATION',
  reset: 'WARMVM_RESET_FAILED',
  destroy: 'WARMVM_HOST_OPERATION',
  'guest.ping': 'WARMVM_GUEST_UNRESPONSIVE',
  'guest.exec': 'WARMVM_GUEST_EXEC_FAILED',
  'guest.readFile': 'WARMVM_GUEST_EXEC_FAILED',
  'guest.writeFile': 'WARMVM_GUEST_EXEC_FAILED',
  'guest.timeMs': 'WARMVM_GUEST_UNRESPONSIVE',
};

/** The error a caller of the operation sees: foreign ones wrapped under the code that the contract names for it. */
export function wrapError(operation: FaultOperation, error: unknown): Error {
  if (isWarmvmError(error) || error instanceof ArgumentError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new WarmvmError(CODES[operation], `${operation} failed: ${why}`, {
    // A failed reset leaves nothing to try again; the rest is a matter of what the host holds at the moment.
    retryable: operation !== 'reset' && !operation.startsWith('guest.'),
    details: { operation },
    cause: error,
  });
}

/** What a function of the caller threw: goes back to the caller as it is. */
export class CallersError extends Error {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    super('a function of the caller threw', { cause: thrown });
    this.thrown = thrown;
  }

  /** Awaits something of the caller's. */
  static async guard<Value>(promise: () => Value | Promise<Value>): Promise<Value> {
    try {
      return await promise();
    } catch (thrown) {
      throw new CallersError(thrown);
    }
  }
}

/** The machine is no more, or is no longer this pool's. */
export function machineGone(machineId: MachineId, why: string): WarmvmError {
  return new WarmvmError('WARMVM_MACHINE_GONE', `Machine ${machineId} is gone: ${why}`, {
    details: { machineId },
    cause: new Error(why),
  });
}

/** A guest that cannot answer in the state its machine is in. */
export function guestUnresponsive(machineId: MachineId, state: MachineState): WarmvmError {
  return new WarmvmError('WARMVM_GUEST_UNRESPONSIVE', `The guest of ${machineId} does not answer: it is ${state}`, {
    retryable: state === 'starting' || state === 'paused',
    details: { machineId, state },
    cause:
      state === 'crashed' ? machineCrashed(machineId) : new Error(`no answer from a machine in the state ${state}`),
  });
}

/** The machine died of itself. */
export function machineCrashed(machineId: MachineId): WarmvmError {
  return new WarmvmError('WARMVM_MACHINE_CRASHED', `Machine ${machineId} has crashed`, {
    details: { machineId },
    cause: new Error('guest panicked'),
  });
}

/** Something that the manifest rules out. */
export function notSupported(what: string, capability: string): WarmvmError {
  return new WarmvmError('WARMVM_NOT_SUPPORTED', `${what} is not supported: the manifest says ${capability}`, {
    details: { capability },
    cause: new Error(`manifest: ${capability}`),
  });
}

/** The error of a connection that broke. */
export function hostLost(host: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown): WarmvmError {
  return new WarmvmError('WARMVM_HOST_LOST', `The connection to host ${host} is lost`, {
    retryable: true,
    details: { host, ...details },
    cause: cause ?? new Error('read ECONNRESET'),
  });
}
