import { isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import { isLibvirtError, type ProcedureName } from '@warmvm/libvirt';

/** Whether an error of `@warmvm/libvirt` says that its connection is over. */
export function isClosed(error: unknown): boolean {
  return isLibvirtError(error) && error.code === 'LIBVIRT_CLOSED';
}

/** The connection broke under one call and is there again: the call failed, not the host. Nobody knows whether it was carried out. */
export function interruption(cause: unknown, doing: string): WarmvmError {
  return new WarmvmError('WARMVM_HOST_OPERATION', `could not ${doing}: the connection broke meanwhile; it is back`, {
    retryable: true,
    cause,
    details: { interrupted: true },
  });
}

/** Whether an error tells of a break that has been mended. */
export function isInterruption(error: unknown): error is WarmvmError {
  return isWarmvmError(error, 'WARMVM_HOST_OPERATION') && error.details.interrupted === true;
}

/** The mended break that led to an error, if one did. */
export function interruptionBehind(error: unknown): WarmvmError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if (isInterruption(at)) return at;
  }
  return undefined;
}

/** The error of calls on a driver that has been disposed. */
export function disposedError(): WarmvmError {
  return new WarmvmError('WARMVM_HOST_LOST', 'the driver has been disposed', { details: { disposed: true } });
}

/** Waits for a promise until the signal is aborted. @throws the signal's reason */
export async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise;
  let onAbort = (): void => {};
  const left = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([promise, left]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** What a dialer of the user throws may be anything. */
export function unreachable(error: unknown): WarmvmError {
  if (isWarmvmError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new WarmvmError('WARMVM_HOST_UNREACHABLE', `could not reach the host: ${why}`, {
    retryable: true,
    cause: error,
  });
}

/** A daemon that took a connection and said nothing on it: that is how it refuses. Other errors come back as they are. */
export function notOpened(error: unknown, uri: string): unknown {
  const isSilent = isLibvirtError(error) && (error.code === 'LIBVIRT_TIMEOUT' || error.code === 'LIBVIRT_CLOSED');
  if (!isSilent) return error;
  const remedy = 'see whether it hangs, or has as many clients as it takes (max_clients in libvirtd.conf)';
  return new WarmvmError(
    'WARMVM_HOST_UNREACHABLE',
    `the daemon of ${uri} took the connection and did not answer: ${error.message}; ${remedy}`,
    { retryable: true, cause: error, details: { uri, remedy } },
  );
}

/** The connection is gone for good. */
export function lostError(message: string, cause: unknown): WarmvmError {
  const details = isWarmvmError(cause) ? { details: cause.details } : {};
  return new WarmvmError('WARMVM_HOST_LOST', message, { retryable: true, cause, ...details });
}

/** What dispose of a driver says when the host refused to remove something. */
export function leftBehind(
  names: readonly string[],
  failures: readonly unknown[],
  patienceMs: number | undefined,
): WarmvmError {
  const what = names.length === 0 ? 'its storage pool' : names.join(', ');
  const remedy = `Call dispose again, or ${WAY_TO_REMOVE}.`;
  return new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `The driver could not remove ${what} from the host.${guardianOf(patienceMs)} ${remedy}`,
    { retryable: true, cause: failures[0], details: { failures: failures.map(String), leftBehind: names, remedy } },
  );
}

/** Dispose resolves also where the host is lost. What is left there is said all the same, as a warning of this process. */
export function warnOfLeftBehind(names: readonly string[], patienceMs: number | undefined): void {
  if (names.length === 0) return;
  process.emitWarning(
    `The host was lost before ${names.join(', ')} could be removed.${guardianOf(patienceMs)} If they stay, ${WAY_TO_REMOVE}`,
    { type: 'WarmvmWarning', code: 'WARMVM_LEFT_BEHIND' },
  );
}

const WAY_TO_REMOVE = 'run "warmvm sweep" once the daemon answers';

function guardianOf(patienceMs: number | undefined): string {
  return patienceMs === undefined ? '' : ` Its guardian process tries again for ${patienceMs / 1_000} s.`;
}

/** Whose second try does no harm, whatever became of the first: questions, and what is done when it has been done. */
const REPEATABLE =
  /^(connectGet|connectList|connectBaseline|nodeGet|domainGet|domainLookup|domainSnapshot(Get|Lookup)|domainDestroy|domainUndefine|domainSetMetadata|storagePool(Lookup|Get|Is|NumOf|List)|storageVol(Lookup|Get|Delete))/;

/** Whether a call may be made again after a break: nobody knows whether it was carried out. */
export function isRepeatable(procedure: ProcedureName): boolean {
  return REPEATABLE.test(procedure);
}
