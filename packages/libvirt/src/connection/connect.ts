import type { Duplex } from 'node:stream';
import { timeoutError, watchWait } from '../guard.ts';
import { SocketConnection } from './connection.ts';
import type { Connection } from './contract.ts';
import { handshake } from './handshake.ts';
import { type ConnectOptions, parseConnectOptions, type Settings } from './options.ts';

/**
 * Opens one connection. Calls that block for long hold up others on it; `openClient` keeps them apart.
 * @throws TypeError or RangeError at once on bad options; rejects with the signal's reason or a LibvirtError.
 */
export function connect(options: ConnectOptions): Promise<Connection> {
  return openConnection(parseConnectOptions(options), options.signal);
}

/** Dials and makes the handshake, both within the deadline for opening. */
export async function openConnection(settings: Settings, signal?: AbortSignal): Promise<Connection> {
  signal?.throwIfAborted();
  const opening = new AbortController();
  const timeoutMs = settings.openTimeoutMs;
  const stop = watchWait(settings.clock, { signal, timeoutMs }, (reason, isTimeout) => {
    opening.abort(isTimeout ? timeoutError(`opening ${settings.uri}`, timeoutMs) : reason);
  });
  let connection: SocketConnection | undefined;
  try {
    const duplex = await untilAborted(settings.dial({ signal: opening.signal }), opening.signal, throwAway);
    connection = new SocketConnection(duplex, settings);
    await handshake(connection, settings, opening.signal);
    return connection;
  } catch (error) {
    connection?.destroy(undefined);
    // A dialer may wrap the reason of the abort; the caller is owed the reason itself.
    throw opening.signal.aborted ? opening.signal.reason : error;
  } finally {
    stop();
  }
}

/** Closes a stream that nobody wants any more; what it still has to complain about concerns nobody. */
function throwAway(duplex: Duplex): void {
  duplex.on('error', () => {});
  duplex.destroy();
}

/** Waits for a promise until the signal is aborted; a value that comes later is handed to `onLate`. */
function untilAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
  onLate: (value: Value) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        if (signal.aborted) onLate(value);
        else resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    );
  });
}
