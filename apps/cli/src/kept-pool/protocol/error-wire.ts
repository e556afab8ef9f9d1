import { ERROR_CODES, type ErrorCode, isWarmvmError, WarmvmError } from '@warmvm/core/driver';

/** An error as it is sent. */
export interface WireError {
  readonly message: string;
  readonly code?: string;
  readonly retryable?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: WireError;
}

/** Causes that are sent along. */
const MOST_CAUSES = 5;
const MOST_MESSAGE_CHARACTERS = 4_096;
const MOST_DETAILS_CHARACTERS = 16_384;

/** What is sent of an error: never its stack. */
export function errorToWire(error: unknown, depth = 0): WireError {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, MOST_MESSAGE_CHARACTERS);
  const cause = (error as { cause?: unknown } | null | undefined)?.cause;
  return {
    message,
    ...(isWarmvmError(error)
      ? { code: error.code, retryable: error.retryable, details: plainDetails(error.details) }
      : {}),
    ...(cause === undefined || cause === null || depth >= MOST_CAUSES ? {} : { cause: errorToWire(cause, depth + 1) }),
  };
}

function plainDetails(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    const text = JSON.stringify(details, (_key, value: unknown) =>
      value instanceof Error ? errorToWire(value) : typeof value === 'bigint' ? String(value) : value,
    );
    return text.length <= MOST_DETAILS_CHARACTERS ? (JSON.parse(text) as Record<string, unknown>) : {};
  } catch {
    // Details are facts besides the message; what cannot be sent must not hide the error.
    return {};
  }
}

/** The error that was sent. What is malformed in it is left out: an error must always be told. */
export function errorFromWire(value: unknown, depth = 0): Error {
  const { message, code, retryable, details, cause } = (value ?? {}) as Partial<Record<keyof WireError, unknown>>;
  const text = typeof message === 'string' ? message : 'the pool reported an error without words';
  const options = cause === undefined || depth >= MOST_CAUSES ? {} : { cause: errorFromWire(cause, depth + 1) };
  if (!(ERROR_CODES as readonly unknown[]).includes(code)) return new Error(text, options);
  const isPlain = typeof details === 'object' && details !== null && !Array.isArray(details);
  return new WarmvmError(code as ErrorCode, text, {
    ...options,
    retryable: retryable === true,
    details: isPlain ? (details as Record<string, unknown>) : {},
  });
}
