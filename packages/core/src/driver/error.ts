/** Every code a warmvm package can throw. Codes are stable within a major version; messages are not. See `docs/errors.md`. */
export const ERROR_CODES = [
  'WARMVM_POOL_CLOSED',
  'WARMVM_ACQUIRE_TIMEOUT',
  'WARMVM_POOL_EXHAUSTED',
  'WARMVM_LEASE_EXPIRED',
  'WARMVM_LEASE_RELEASED',
  'WARMVM_HOST_UNREACHABLE',
  'WARMVM_HOST_LOST',
  'WARMVM_HOST_DENIED',
  'WARMVM_HOST_PROTOCOL',
  'WARMVM_HOST_OPERATION',
  'WARMVM_GOLDEN_INVALID',
  'WARMVM_GOLDEN_MISSING',
  'WARMVM_FORK_FAILED',
  'WARMVM_RESET_FAILED',
  'WARMVM_NOT_READY',
  'WARMVM_MACHINE_CRASHED',
  'WARMVM_MACHINE_GONE',
  'WARMVM_GUEST_UNRESPONSIVE',
  'WARMVM_GUEST_EXEC_FAILED',
  'WARMVM_NOT_SUPPORTED',
] as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts that belong to an error. Plain data: it may be logged, sent and compared; it never holds secrets. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What a {@link WarmvmError} is made from. */
export interface WarmvmErrorOptions {
  /** Whether the same call may succeed if simply made again. @default false */
  readonly retryable?: boolean;
  /** Facts for programs; the message is for people. @default {} */
  readonly details?: ErrorDetails;
  /** The error that led to this one; always given when one is wrapped. */
  readonly cause?: unknown;
}

const marker: unique symbol = Symbol.for('@warmvm/error');

/** The one error class of warmvm. Recognise it with {@link isWarmvmError}, not `instanceof`: two copies of core may be loaded. */
export class WarmvmError extends Error {
  /** Stable code to branch on. */
  readonly code: ErrorCode;
  /** Decided where the facts are known: may the same call succeed if made again? */
  readonly retryable: boolean;
  /** Facts for programs. */
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: WarmvmErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'WarmvmError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
    Object.defineProperty(this, marker, { value: true });
  }
}

/** True for a {@link WarmvmError} of any loaded copy of core, and of the given code when one is named. */
export function isWarmvmError(value: unknown, code?: ErrorCode): value is WarmvmError {
  if (typeof value !== 'object' || value === null || !(marker in value)) return false;
  return code === undefined || (value as { code?: unknown }).code === code;
}
