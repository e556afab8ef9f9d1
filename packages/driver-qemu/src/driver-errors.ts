import { fromSystemError, isWarmvmError, type MachineRecord, WarmvmError } from '@warmvm/core/driver';

export function disposedError(): WarmvmError {
  return new WarmvmError('WARMVM_HOST_LOST', 'the driver has been disposed', { details: { disposed: true } });
}

export function goneError({ id, owner }: MachineRecord): WarmvmError {
  return new WarmvmError('WARMVM_MACHINE_GONE', `there is no machine ${id} of pool ${owner.pool}`, {
    details: { machine: id, pool: owner.pool },
  });
}

/** What a fork that failed is about, and what of it could not be taken back. */
export interface FailedFork {
  /** Absent: there is no machine yet. */
  readonly id?: string;
  readonly digest: string;
  readonly leftBehind: readonly string[];
}

export function forkFailure(cause: unknown, { id, digest, leftBehind }: FailedFork): WarmvmError {
  const isAnotherFault = isWarmvmError(cause, 'WARMVM_GOLDEN_MISSING') || isWarmvmError(cause, 'WARMVM_HOST_LOST');
  if (isAnotherFault && leftBehind.length === 0) return cause;
  const what = `${id === undefined ? 'a machine' : `machine ${id}`} could not be forked`;
  const details = { digest, ...(id === undefined ? {} : { machine: id }), ...left(leftBehind) };
  if (!isWarmvmError(cause)) return fromSystemError(cause, what, { code: 'WARMVM_FORK_FAILED', details });
  return new WarmvmError('WARMVM_FORK_FAILED', what, { cause, details, retryable: cause.retryable });
}

/** A machine that is still on the host after its dispose. */
export function notDestroyed(id: string, failure: unknown): WarmvmError {
  const cause = fromSystemError(failure, 'its files could not be removed');
  return new WarmvmError('WARMVM_HOST_OPERATION', `machine ${id} could not be destroyed: ${cause.message}`, {
    cause,
    retryable: true,
    details: { ...cause.details, machine: id, ...left([id]) },
  });
}

/** What dispose could not remove. Each failure says in its details what it left. */
export function notRemoved(failures: readonly unknown[]): WarmvmError {
  const stays = failures.flatMap((failure) => {
    const ids = isWarmvmError(failure) ? failure.details.leftBehind : undefined;
    return Array.isArray(ids) ? (ids as string[]) : [];
  });
  const message = `the driver could not remove everything that it made: ${failures.map(textOf).join('; ')}`;
  return new WarmvmError('WARMVM_HOST_OPERATION', message, {
    cause: failures[0],
    retryable: true,
    details: { failures: failures.map(textOf), ...left(stays) },
  });
}

/** A failure whose remains could not be removed either. */
export function leftBehind(id: string, failure: unknown, cause: unknown): WarmvmError {
  const known = isWarmvmError(failure) ? failure : fromSystemError(failure, 'the call failed');
  const message = `${known.message}. What it had made could not be removed: ${textOf(cause)}`;
  return new WarmvmError(known.code, message, {
    cause: failure,
    retryable: known.retryable,
    details: { ...known.details, ...left([id]) },
  });
}

function left(ids: readonly string[]): { readonly leftBehind?: readonly string[] } {
  return ids.length === 0 ? {} : { leftBehind: ids };
}

function textOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
