import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../clock.ts';
import { localDialer } from '../dial/local.ts';
import { parseUri } from '../dial/uri.ts';
import { checkDurationMs } from '../guard.ts';
import type { KeepaliveOptions } from './keepalive.ts';

/** Opens a byte stream to a daemon. It should give up when the signal is aborted, and reject with its reason. */
export type Dial = (options: { readonly signal?: AbortSignal }) => Promise<Duplex>;

/** How to connect. */
export interface ConnectOptions {
  /** Such as `qemu:///system` or `test:///default`; parts that only concern the transport do not reach the daemon. */
  readonly uri: string;
  /** Opens the byte stream. @default `localDialer(uri, { readOnly })` */
  readonly dial?: Dial | undefined;
  /** Whether to ask for a connection that cannot change anything. @default false */
  readonly readOnly?: boolean | undefined;
  /** Gives the opening up. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for dialling and the handshake together. @default 10000 */
  readonly openTimeoutMs?: number | undefined;
  /** Deadline of a call, waiting for a free slot included. @default 30000 */
  readonly callTimeoutMs?: number | undefined;
  /** Deadline of a call that its table marks slow, and of `finish` and `abort` of a stream. @default 120000 */
  readonly slowCallTimeoutMs?: number | undefined;
  /** Calls in flight per connection; with 5 a daemon of default configuration stops reading. @default 4 */
  readonly maxInFlight?: number | undefined;
  /** Pings that find a dead connection out; false for none. @default every 5000 ms, dead after 5 */
  readonly keepalive?: KeepaliveOptions | false | undefined;
  /** Source of time. @default the real one */
  readonly clock?: Clock | undefined;
}

/** {@link ConnectOptions} with every default filled in. */
export interface Settings {
  readonly uri: string;
  /** What is sent to the daemon as the name of the driver. */
  readonly driverUri: string;
  readonly dial: Dial;
  readonly readOnly: boolean;
  readonly openTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly slowCallTimeoutMs: number;
  readonly maxInFlight: number;
  readonly keepalive: KeepaliveOptions | false;
  readonly clock: Clock;
}

/**
 * Checks options and fills in the defaults.
 * @throws TypeError or RangeError naming the option.
 */
export function parseConnectOptions(options: ConnectOptions): Settings {
  const { uri, readOnly = false, maxInFlight = 4, keepalive = { intervalMs: 5000, count: 5 } } = options;
  const driverUri = parseUri(uri).driverUri;
  if (!Number.isInteger(maxInFlight) || maxInFlight < 1) {
    throw new RangeError(`maxInFlight must be a whole number of at least 1, got ${maxInFlight}`);
  }
  if (keepalive !== false) {
    checkDurationMs('keepalive.intervalMs', keepalive.intervalMs, false);
    if (!Number.isInteger(keepalive.count) || keepalive.count < 1) {
      throw new RangeError(`keepalive.count must be a whole number of at least 1, got ${keepalive.count}`);
    }
  }
  if (options.dial !== undefined && typeof options.dial !== 'function') {
    throw new TypeError('dial must be a function that resolves to a Duplex');
  }
  return {
    uri,
    driverUri,
    dial: options.dial ?? localDialer(uri, { readOnly }),
    readOnly,
    openTimeoutMs: checkDurationMs('openTimeoutMs', options.openTimeoutMs ?? 10_000),
    callTimeoutMs: checkDurationMs('callTimeoutMs', options.callTimeoutMs ?? 30_000),
    slowCallTimeoutMs: checkDurationMs('slowCallTimeoutMs', options.slowCallTimeoutMs ?? 120_000),
    maxInFlight,
    keepalive,
    clock: options.clock ?? systemClock,
  };
}
