import { isWarmvmError, type MachineRecord, WarmvmError } from '@warmvm/core/driver';

export function disposedError(): WarmvmError {
  return new WarmvmError('WARMVM_HOST_LOST', 'the driver has been disposed', { details: { disposed: true } });
}

export function goneError({ id, owner }: MachineRecord): WarmvmError {
  return new WarmvmError('WARMVM_MACHINE_GONE', `there is no machine ${id} of pool ${owner.pool}`, {
    details: { machine: id, pool: owner.pool },
  });
}

export function forkFailure(cause: unknown, id: string, digest: string): WarmvmError {
  if (isWarmvmError(cause, 'WARMVM_GOLDEN_MISSING') || isWarmvmError(cause, 'WARMVM_HOST_LOST')) return cause;
  return new WarmvmError('WARMVM_FORK_FAILED', `machine ${id} could not be forked`, {
    cause,
    details: { machine: id, digest },
    retryable: !isWarmvmError(cause) || cause.retryable,
  });
}
