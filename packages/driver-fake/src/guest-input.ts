import type { ExecOptions } from '@warmvm/core/driver';
import { ArgumentError, CallersError } from './errors.ts';

/** Standard input as a sequence, which throws the signal's reason as soon as that is aborted. */
export async function* inputOf(stdin: ExecOptions['stdin'], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (stdin === undefined) return;
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) return yield asBytes(stdin);
  if (typeof stdin !== 'object' || !(Symbol.asyncIterator in stdin)) {
    throw new ArgumentError('stdin must be bytes, text, or an async iterable of them');
  }
  const iterator = stdin[Symbol.asyncIterator]();
  if (signal.aborted) throw signal.reason;
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Nobody may be waiting when it is aborted.
  aborted.catch(() => {});
  try {
    for (;;) {
      const next = await Promise.race([CallersError.guard(() => iterator.next()), aborted]);
      if (next.done) return;
      yield asBytes(next.value);
    }
  } finally {
    // Not awaited: a source that waits for a person ends when it ends.
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

function asBytes(piece: Uint8Array | string): Uint8Array {
  return typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
}
