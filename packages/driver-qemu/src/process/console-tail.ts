import type { Duplex } from 'node:stream';
import { isWarmvmError, shownText, WarmvmError } from '@warmvm/core/driver';

/** What is kept of a console, and what an error shows of it. A guest may write without end. */
const KEPT_BYTES = 8192;
const SHOWN_CHARS = 1500;
const SHOWN_LINES = 12;

/** Reads a console from now on; the returned function gives its last lines, safe to show. */
export function consoleTail(console: Duplex | undefined): () => string {
  let kept = Buffer.alloc(0);
  console?.on('data', (chunk: Buffer) => {
    const joined = Buffer.concat([kept, chunk.subarray(-KEPT_BYTES)]);
    kept = joined.subarray(-KEPT_BYTES);
  });
  return () => {
    const lines = shownText(kept.toString('utf8'), { mostChars: KEPT_BYTES, keepLineBreaks: true })
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => line !== '');
    return lines.slice(-SHOWN_LINES).join('\n').slice(-SHOWN_CHARS);
  };
}

/** The error with what the guest wrote last; as it is where that is nothing. */
export function withConsole(error: unknown, said: string): unknown {
  if (said === '' || !isWarmvmError(error)) return error;
  const { code, message, retryable, details } = error;
  return new WarmvmError(code, `${message}. The guest's console ends with:\n${said}\n`, {
    cause: error,
    retryable,
    details: { ...details, console: said },
  });
}
