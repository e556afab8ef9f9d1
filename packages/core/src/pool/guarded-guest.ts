import type { CallOptions } from '../driver/call.ts';
import type { Guest } from '../driver/guest.ts';
import type { LeaseRecord } from './lease-record.ts';

/**
 * Runs a call on the machine for as long as the lease lasts: refused after its end, aborted and rejected at its end,
 * even when the driver takes no notice.
 */
export async function callWithinLease<Options extends CallOptions, Value>(
  record: LeaseRecord,
  options: Options | undefined,
  call: (options: Options) => Promise<Value>,
): Promise<Value> {
  const outer = options?.signal;
  outer?.throwIfAborted();
  if (record.status !== 'active') throw record.error();
  const ended = record.useSignal;
  const signal = outer === undefined ? ended : AbortSignal.any([outer, ended]);
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([call({ ...options, signal } as Options), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort!);
  }
}

/** The machine's guest, for the holder of this lease alone. */
export function guardGuest(record: LeaseRecord): Guest {
  const { guest } = record.machine;
  return {
    ping: (options) => callWithinLease(record, options, (bound) => guest.ping(bound)),
    exec: (command, options) => callWithinLease(record, options, (bound) => guest.exec(command, bound)),
    readFile: (path, options) => callWithinLease(record, options, (bound) => guest.readFile(path, bound)),
    writeFile: (path, content, options) =>
      callWithinLease(record, options, (bound) => guest.writeFile(path, content, bound)),
    timeMs: (options) => callWithinLease(record, options, (bound) => guest.timeMs(bound)),
  };
}
