import { type ErrorCode, isWarmvmError, WarmvmError } from '../driver/error.ts';
import type { Machine } from '../driver/machine.ts';
import { fromSystemError, systemFault } from '../driver/system-error.ts';
import type { SystemFaultReason } from '../driver/system-faults.ts';
import type { CheckedTimeouts } from './snapshot-reset-options.ts';

/** One thing that is done to a machine or a golden snapshot, and how its failures are told. */
export interface Step {
  readonly code: ErrorCode;
  readonly timeout: keyof CheckedTimeouts;
  /** Whether errors of other codes, but the loss of the host, become the cause of one of this code. */
  readonly wrapsAll: boolean;
}

export const prepareStep: Step = { code: 'WARMVM_GOLDEN_INVALID', timeout: 'prepareTimeoutMs', wrapsAll: false };
export const forkStep: Step = { code: 'WARMVM_FORK_FAILED', timeout: 'forkTimeoutMs', wrapsAll: false };
export const resetStep: Step = { code: 'WARMVM_RESET_FAILED', timeout: 'resetTimeoutMs', wrapsAll: false };
export const probeStep: Step = { code: 'WARMVM_NOT_READY', timeout: 'probeTimeoutMs', wrapsAll: true };
export const destroyStep: Step = { code: 'WARMVM_HOST_OPERATION', timeout: 'destroyTimeoutMs', wrapsAll: false };

/** @param what the step and what it is done to, in words */
export function stepTimeoutError({ code, timeout }: Step, what: string, timeoutMs: number): WarmvmError {
  return new WarmvmError(code, `${what}: not done after ${timeoutMs} ms (${timeout})`, {
    retryable: true,
    details: { timeoutMs },
  });
}

/** Faults of the host that say nothing about an image, whatever was being made of it. */
const HOST_FAULTS: readonly SystemFaultReason[] = [
  'disk-full',
  'quota-exceeded',
  'file-too-large',
  'permission-denied',
  'missing-capability',
  'node-permission',
  'read-only-file-system',
  'too-many-open-files',
  'too-many-processes',
  'out-of-memory',
  'no-user-entry',
  'missing-program',
  'not-executable',
  'path-too-long',
  'missing-device',
  'device-fault',
];

/** What a rejection of the driver becomes. */
export function stepError({ code, wrapsAll }: Step, what: string, error: unknown): unknown {
  if (isWarmvmError(error, 'WARMVM_GOLDEN_INVALID')) return withoutBlame(error, what);
  if (isWarmvmError(error) && (!wrapsAll || error.code === code || error.code === 'WARMVM_HOST_LOST')) return error;
  // Only a driver can know that the image is to blame; what it throws unworded is a fault of the host or of the driver.
  if (!isWarmvmError(error) && !wrapsAll) {
    return fromSystemError(error, what, code === 'WARMVM_GOLDEN_INVALID' ? {} : { code });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new WarmvmError(code, `${what}: ${message}`, {
    cause: error,
    retryable: isWarmvmError(error) ? error.retryable : false,
  });
}

/** The image is not to blame for what its host could not do. */
function withoutBlame(error: WarmvmError, what: string): unknown {
  const fault = systemFault(error.cause);
  return fault !== undefined && HOST_FAULTS.includes(fault.reason) ? fromSystemError(error.cause, what) : error;
}

/** For a machine whose reset resolved and did not begin a generation. */
export function notRenewedError(machine: Machine): WarmvmError {
  const { id, generation } = machine;
  return new WarmvmError(
    'WARMVM_RESET_FAILED',
    `reset machine ${id}: still generation ${generation}; expected a later one`,
    { details: { machineId: id, generation } },
  );
}
