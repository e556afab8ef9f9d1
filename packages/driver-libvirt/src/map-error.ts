import { type ErrorCode, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import { ErrorNumber, isLibvirtError, type LibvirtError } from '@warmvm/libvirt';

const REMOTE_CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [ErrorNumber.NO_DOMAIN, 'WARMVM_MACHINE_GONE'],
  [ErrorNumber.AUTH_FAILED, 'WARMVM_HOST_DENIED'],
  [ErrorNumber.AUTH_CANCELLED, 'WARMVM_HOST_DENIED'],
  [ErrorNumber.AUTH_UNAVAILABLE, 'WARMVM_HOST_DENIED'],
  [ErrorNumber.ACCESS_DENIED, 'WARMVM_HOST_DENIED'],
  [ErrorNumber.OPERATION_DENIED, 'WARMVM_HOST_DENIED'],
  [ErrorNumber.AGENT_UNRESPONSIVE, 'WARMVM_GUEST_UNRESPONSIVE'],
  [ErrorNumber.AGENT_UNSYNCED, 'WARMVM_GUEST_UNRESPONSIVE'],
  [ErrorNumber.NO_SUPPORT, 'WARMVM_NOT_SUPPORTED'],
  [ErrorNumber.CONFIG_UNSUPPORTED, 'WARMVM_NOT_SUPPORTED'],
  [ErrorNumber.ARGUMENT_UNSUPPORTED, 'WARMVM_NOT_SUPPORTED'],
  [ErrorNumber.OPERATION_UNSUPPORTED, 'WARMVM_NOT_SUPPORTED'],
]);

/** Remote errors that a later try may not meet again. */
const RETRYABLE: ReadonlySet<number> = new Set([
  ErrorNumber.OPERATION_TIMEOUT,
  ErrorNumber.RESOURCE_BUSY,
  ErrorNumber.AGENT_UNRESPONSIVE,
  ErrorNumber.AGENT_UNSYNCED,
]);

/**
 * Turns what `@warmvm/libvirt` throws into the house's errors; anything else (a signal's reason, our own errors) comes back
 * as it is.
 */
export function mapError(error: unknown, doing: string): unknown {
  if (isWarmvmError(error) || !isLibvirtError(error)) return error;
  return new WarmvmError(codeOf(error), `${doing}: ${error.message}`, {
    cause: error,
    retryable: error.libvirtCode === undefined ? error.retryable : RETRYABLE.has(error.libvirtCode),
    details: { libvirtCode: error.libvirtCode, libvirtCodeName: error.libvirtCodeName },
  });
}

function codeOf(error: LibvirtError): ErrorCode {
  switch (error.code) {
    case 'LIBVIRT_CLOSED':
      return 'WARMVM_HOST_LOST';
    case 'LIBVIRT_UNREACHABLE':
      return 'WARMVM_HOST_UNREACHABLE';
    case 'LIBVIRT_DENIED':
      return 'WARMVM_HOST_DENIED';
    case 'LIBVIRT_UNSUPPORTED':
      return 'WARMVM_NOT_SUPPORTED';
    case 'LIBVIRT_PROTOCOL':
      return 'WARMVM_HOST_PROTOCOL';
    case 'LIBVIRT_REMOTE':
      return REMOTE_CODES.get(error.libvirtCode ?? -1) ?? 'WARMVM_HOST_OPERATION';
    default:
      return 'WARMVM_HOST_OPERATION';
  }
}

/** Whether the host says that the thing is not there. */
export function isAbsent(error: unknown): boolean {
  const cause = isWarmvmError(error) ? error.cause : error;
  return (
    isLibvirtError(cause, ErrorNumber.NO_DOMAIN) ||
    isLibvirtError(cause, ErrorNumber.NO_STORAGE_VOL) ||
    isLibvirtError(cause, ErrorNumber.NO_STORAGE_POOL) ||
    isLibvirtError(cause, ErrorNumber.NO_DOMAIN_SNAPSHOT)
  );
}

/** Whether the host says that it cannot do this as things stand: a domain does not run, a volume is in use or being made. */
export function isInvalidNow(error: unknown): boolean {
  return isLibvirtError(isWarmvmError(error) ? error.cause : error, ErrorNumber.OPERATION_INVALID);
}

/** `errno` of a file or folder that is not there. */
const NO_SUCH_FILE = 2;

/** Whether the host says that a file or folder of its own is gone. */
export function isFileMissing(error: unknown): boolean {
  const cause = isWarmvmError(error) ? error.cause : error;
  return isLibvirtError(cause, ErrorNumber.SYSTEM_ERROR) && cause.systemErrorNumber === NO_SUCH_FILE;
}
