import { PassThrough } from 'node:stream';
import { isWarmvmError } from '@warmvm/core';
import { EXIT } from '../exit-codes.ts';
import type { LentMachine } from '../place/machine-source.ts';
import { openGuestTerminal, readShellExit, type ShellRequest } from './guest-terminal.ts';

/** Longest that Node can wait. */
const FOREVER_MS = 2 ** 31 - 1;
/** Ctrl-]: leaves a guest that no longer listens, as with telnet and virsh console. */
const LEAVE = 0x1d;

/** The terminal of the person: a pair of streams of this process, replaced in tests. */
export interface UserTerminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** A shell in the machine on the person's terminal, until it ends. Resolves with its exit code. The terminal is left as it was found. */
export async function shellInMachine(
  { guest, signal: lost }: LentMachine,
  request: ShellRequest,
  { input, output }: UserTerminal,
  signal: AbortSignal,
): Promise<number> {
  const leaving = new AbortController();
  const either = AbortSignal.any([signal, lost, leaving.signal]);
  const terminal = await openGuestTerminal(guest, request, either);
  const typed = new PassThrough();
  const onTyped = (bytes: Buffer): void => {
    if (bytes.includes(LEAVE)) leaving.abort(new Error('left with Ctrl-]'));
    else typed.write(terminal.encode(bytes));
  };
  const onResize = (): void => {
    if (terminal.resize !== undefined) typed.write(terminal.resize(sizeOf(output)));
  };
  const restore = (): void => void input.setRawMode?.(false);
  // Also for those ends of the process that no `finally` sees.
  process.once('exit', restore);
  try {
    input.setRawMode?.(true);
    input.on('data', onTyped);
    output.on('resize', onResize);
    onResize();
    await guest.exec(terminal.command, {
      stdin: typed,
      timeoutMs: FOREVER_MS,
      maxOutputBytes: Number.MAX_SAFE_INTEGER,
      signal: either,
      onOutput: (bytes) =>
        new Promise((resolve) => {
          output.write(terminal.decode(bytes), () => resolve());
        }),
    });
    return (await readShellExit(guest, either)) ?? EXIT.ok;
  } catch (error) {
    if (leaving.signal.aborted && !signal.aborted) return EXIT.ok;
    if (lost.aborted) throw lost.reason;
    if (isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED') && either.aborted) either.throwIfAborted();
    throw error;
  } finally {
    input.off('data', onTyped);
    output.off('resize', onResize);
    input.pause();
    restore();
    process.off('exit', restore);
    typed.end();
  }
}

/** Size of the window; that of an old terminal where it cannot be told. */
export function sizeOf({ columns, rows }: Partial<Pick<NodeJS.WriteStream, 'columns' | 'rows'>>): {
  columns: number;
  rows: number;
} {
  return { columns: columns || 80, rows: rows || 24 };
}
