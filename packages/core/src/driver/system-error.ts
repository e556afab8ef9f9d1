import { type ErrorCode, type ErrorDetails, isWarmvmError, WarmvmError } from './error.ts';
import {
  BUSY,
  CAPABILITIES,
  FAULTS,
  type FaultRow,
  MISSING_PROGRAM,
  NO_LISTENER,
  PROCESSES,
  SIGNAL_REMEDIES,
  type SystemFaultReason,
} from './system-faults.ts';

/** A fault of the operating system, as {@link systemFault} reads it. */
export interface SystemFault {
  readonly reason: SystemFaultReason;
  /** Code that fits where the operation has none of its own. */
  readonly code: ErrorCode;
  /** Whether the same call may succeed if made again, once the fault has passed. */
  readonly retryable: boolean;
  /** What happened, for people: part of a sentence. */
  readonly explanation: string;
  /** What to do: a sentence. */
  readonly remedy: string;
  /** The system's own word: `ENOSPC`, `SIGKILL`. */
  readonly systemCode: string;
  readonly path?: string;
}

/** Options of {@link fromSystemError}. */
export interface SystemErrorOptions {
  /** Code of the operation that failed, where it has one. @default the code that fits the fault */
  readonly code?: ErrorCode;
  /** Further facts. @default none */
  readonly details?: ErrorDetails;
}

/** Errors that are looked at below each other; a chain may be a circle. */
const MOST_CAUSES = 8;

interface NodeError {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly path?: unknown;
  readonly address?: unknown;
  readonly resource?: unknown;
  readonly signal?: unknown;
  readonly info?: unknown;
  readonly cause?: unknown;
}

/** The fault of the operating system behind an error or one of its causes; undefined if there is none. */
export function systemFault(error: unknown): SystemFault | undefined {
  let next = error;
  for (let depth = 0; depth < MOST_CAUSES && typeof next === 'object' && next !== null; depth += 1) {
    const fault = readFault(next as NodeError);
    if (fault !== undefined) return fault;
    next = (next as NodeError).cause;
  }
  return undefined;
}

/**
 * An error of Node or of the operating system as a {@link WarmvmError}: what failed, why, and what to do; `details` has `reason`,
 * `systemCode`, `remedy` and, where known, `path`. A WarmvmError comes back as it is. An error that is not known gets the reason
 * `unknown` and is not retryable.
 * @param what what failed, for people, without a full stop: `The golden snapshot could not be written`
 */
export function fromSystemError(error: unknown, what: string, options: SystemErrorOptions = {}): WarmvmError {
  if (isWarmvmError(error)) return error;
  const fault = systemFault(error);
  if (fault === undefined) {
    const text = error instanceof Error ? error.message : String(error);
    return new WarmvmError(options.code ?? 'WARMVM_HOST_OPERATION', `${what}: ${text}`, {
      details: { ...options.details, reason: 'unknown' },
      cause: error,
    });
  }
  const { reason, systemCode, remedy, path, explanation, retryable } = fault;
  const where = path === undefined ? systemCode : `${systemCode}, ${path}`;
  return new WarmvmError(options.code ?? fault.code, `${what}: ${explanation} (${where}). ${remedy}`, {
    retryable,
    details: { ...options.details, reason, systemCode, remedy, ...(path === undefined ? {} : { path }) },
    cause: error,
  });
}

function readFault(error: NodeError): SystemFault | undefined {
  if (isWarmvmError(error)) return knownFault(error);
  const { code, syscall, signal } = error;
  const path = pathOf(error);
  const place = path === undefined ? {} : { path };
  if (typeof signal === 'string' && /^SIG[A-Z0-9]+$/.test(signal)) {
    return {
      reason: 'killed-by-signal',
      code: 'WARMVM_HOST_OPERATION',
      retryable: true,
      explanation: `the signal ${signal} ended the program`,
      remedy: SIGNAL_REMEDIES[signal] ?? 'Look at what the program wrote last, and for who sent the signal.',
      systemCode: signal,
    };
  }
  if (isMissingUser(error)) return noUserEntry();
  if (typeof code !== 'string') return undefined;
  const capability = code === 'EPERM' && typeof syscall === 'string' ? CAPABILITIES[syscall] : undefined;
  if (capability !== undefined) {
    return {
      reason: 'missing-capability',
      code: 'WARMVM_HOST_DENIED',
      retryable: false,
      explanation: `${syscall} is not permitted without ${capability}`,
      remedy: `Run as root with ${capability} (containers: \`--cap-add ${capability.slice(4)}\`), or switch off what needs it.`,
      systemCode: code,
      ...place,
    };
  }
  const row = rowOf(code, typeof syscall === 'string' ? syscall : '');
  if (row === undefined) return undefined;
  const [reason, errorCode, retryable, explanation, remedy] = row;
  return { reason, code: errorCode, retryable, explanation, remedy, systemCode: code, ...place };
}

/** One that {@link fromSystemError} made before keeps what it says. */
function knownFault({ code, retryable, details, message }: WarmvmError): SystemFault | undefined {
  const { reason, systemCode, remedy, path } = details;
  if (typeof reason !== 'string' || typeof systemCode !== 'string' || typeof remedy !== 'string') return undefined;
  const place = typeof path === 'string' ? { path } : {};
  return { reason: reason as SystemFaultReason, code, retryable, explanation: message, remedy, systemCode, ...place };
}

function rowOf(code: string, syscall: string): FaultRow | undefined {
  if (syscall.startsWith('spawn')) {
    if (code === 'ENOENT') return MISSING_PROGRAM;
    if (code === 'EAGAIN') return PROCESSES;
  }
  if (syscall === 'connect' && code === 'ENOENT') return NO_LISTENER;
  if (syscall === 'connect' && code === 'EAGAIN') return BUSY;
  // Only the start of a process runs out of processes; elsewhere the word means "not now".
  if (code === 'EAGAIN' && syscall !== '' && !/fork|clone|thread/.test(syscall)) return BUSY;
  return Object.hasOwn(FAULTS, code) ? FAULTS[code] : undefined;
}

/** `os.userInfo()` says so where the user id has no entry in the list of users. */
function isMissingUser({ code, syscall, info }: NodeError): boolean {
  const facts = (typeof info === 'object' && info !== null ? info : {}) as NodeError;
  return syscall === 'uv_os_get_passwd' || (code === 'ERR_SYSTEM_ERROR' && facts.syscall === 'uv_os_get_passwd');
}

function noUserEntry(): SystemFault {
  return {
    reason: 'no-user-entry',
    code: 'WARMVM_HOST_OPERATION',
    retryable: false,
    explanation: 'the user id of this process has no entry in the list of users',
    remedy: 'Add an entry to /etc/passwd, or name the user and the folders in the options.',
    systemCode: 'ENOENT',
  };
}

function pathOf({ path, address, resource }: NodeError): string | undefined {
  return [path, address, resource].find((value): value is string => typeof value === 'string' && value !== '');
}
