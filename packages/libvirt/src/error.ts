import { ErrorNumber } from './constants/error-number.ts';

/**
 * What went wrong, as data:
 *
 * - `LIBVIRT_REMOTE`: the daemon answered the call with an error; see `libvirtCode`.
 * - `LIBVIRT_CLOSED`: the connection is gone: closed here (`retryable` false) or lost (`retryable` true).
 * - `LIBVIRT_TIMEOUT`: a deadline passed; the daemon may still carry the call out.
 * - `LIBVIRT_PROTOCOL`: the other side sent something that is not the libvirt protocol, or broke one of its limits.
 * - `LIBVIRT_UNREACHABLE`: no connection could be made.
 * - `LIBVIRT_DENIED`: the socket or the daemon refused this user.
 * - `LIBVIRT_UNSUPPORTED`: the daemon asks for something this client does not do (SASL).
 * - `LIBVIRT_OVERFLOW`: a bounded buffer was full: a subscription nobody read, or a queue of calls that never moved.
 * - `LIBVIRT_ABORTED`: a stream was aborted here.
 */
export type LibvirtErrorCode =
  | 'LIBVIRT_REMOTE'
  | 'LIBVIRT_CLOSED'
  | 'LIBVIRT_TIMEOUT'
  | 'LIBVIRT_PROTOCOL'
  | 'LIBVIRT_UNREACHABLE'
  | 'LIBVIRT_DENIED'
  | 'LIBVIRT_UNSUPPORTED'
  | 'LIBVIRT_OVERFLOW'
  | 'LIBVIRT_ABORTED';

/** What a {@link LibvirtError} is made of. */
export interface LibvirtErrorOptions {
  /** The error behind this one. */
  readonly cause?: unknown;
  /** Whether the same request may succeed later. @default false */
  readonly retryable?: boolean;
  /** libvirt's own number, see `ErrorNumber`. */
  readonly libvirtCode?: number | undefined;
  /** The layer of libvirt that complained, see `ErrorDomain`. */
  readonly libvirtDomain?: number | undefined;
  /** libvirt's level, see `ErrorLevel`. */
  readonly libvirtLevel?: number | undefined;
  /** The number of the system error behind it, such as 2 for ENOENT. */
  readonly systemErrorNumber?: number | undefined;
}

const marker: unique symbol = Symbol.for('@warmvm/libvirt.error') as never;

const names = new Map<number, string>(Object.entries(ErrorNumber).map(([name, code]) => [code, name]));

/** Every failure of this package except bad arguments, which are `TypeError` or `RangeError`. */
export class LibvirtError extends Error {
  override readonly name: string = 'LibvirtError';
  /** What went wrong; stable within a major version, unlike the message. */
  readonly code: LibvirtErrorCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** libvirt's own number when the daemon sent one, see `ErrorNumber`. */
  declare readonly libvirtCode?: number;
  /** The name of `libvirtCode`, such as `NO_DOMAIN`; absent for numbers this package does not know. */
  declare readonly libvirtCodeName?: string;
  /** The layer of libvirt that complained, see `ErrorDomain`; it does not tell the meaning, `libvirtCode` does. */
  declare readonly libvirtDomain?: number;
  /** libvirt's level, see `ErrorLevel`. */
  declare readonly libvirtLevel?: number;
  /** `errno` on the daemon's host, such as 2 for ENOENT, where it refused for an error of its system. */
  declare readonly systemErrorNumber?: number;

  constructor(code: LibvirtErrorCode, message: string, options: LibvirtErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    Object.defineProperty(this, marker, { value: true });
    this.code = code;
    this.retryable = options.retryable ?? false;
    if (options.libvirtCode !== undefined) {
      this.libvirtCode = options.libvirtCode;
      const name = names.get(options.libvirtCode);
      if (name !== undefined) this.libvirtCodeName = name;
    }
    if (options.libvirtDomain !== undefined) this.libvirtDomain = options.libvirtDomain;
    if (options.libvirtLevel !== undefined) this.libvirtLevel = options.libvirtLevel;
    if (options.systemErrorNumber !== undefined) this.systemErrorNumber = options.systemErrorNumber;
  }
}

/**
 * Whether a value is a {@link LibvirtError}, also one of another copy of this package.
 * With `libvirtCode`: whether it carries that number of libvirt, such as `ErrorNumber.NO_DOMAIN`.
 */
export function isLibvirtError(value: unknown, libvirtCode?: number): value is LibvirtError {
  if (typeof value !== 'object' || value === null || !(marker in value)) return false;
  return libvirtCode === undefined || (value as unknown as LibvirtError).libvirtCode === libvirtCode;
}

/** A protocol error: the other side broke the rules of the wire. */
export function protocolError(message: string, cause?: unknown): LibvirtError {
  return new LibvirtError('LIBVIRT_PROTOCOL', message, cause === undefined ? {} : { cause });
}
