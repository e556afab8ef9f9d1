import { EXIT, exitCodeOf, exitCodeOfError } from '../exit-codes.ts';
import type { MachineSource } from '../place/machine-source.ts';
import { type Copy, copyIn, copyOut } from './copies.ts';
import { type InputSource, inputForGuest } from './standard-input.ts';

/** Longest that Node can wait. */
const FOREVER_MS = 2 ** 31 - 1;

/** What is to be run. */
export interface RunRequest {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string | undefined;
  /** @default none */
  readonly timeoutMs: number | undefined;
  readonly copyIn: readonly Copy[];
  readonly copyOut: readonly Copy[];
  /** Whether what is typed at a terminal goes to the program. */
  readonly interactive: boolean;
}

/** Where the program's input comes from and its output goes to. */
export interface RunStreams {
  readonly input: InputSource;
  /** Resolves when more may be written. */
  readonly write: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => Promise<void>;
  /** For complaints of ours. */
  readonly complain: (error: unknown) => void;
}

/**
 * Runs one command in a machine that nobody had before. Resolves with the exit code: that of the program, or one of ours.
 * @throws the signal's reason
 */
export async function runInMachine(
  source: MachineSource,
  request: RunRequest,
  streams: RunStreams,
  signal: AbortSignal,
): Promise<number> {
  const machine = await source.lend({ signal });
  const either = AbortSignal.any([signal, machine.signal]);
  try {
    for (const copy of request.copyIn) await copyIn(machine.guest, copy, either);
    const { workingDirectory } = request;
    const stdin = await inputForGuest(streams.input, request.interactive);
    const result = await machine.guest.exec(request.command, {
      environment: request.environment,
      timeoutMs: request.timeoutMs ?? FOREVER_MS,
      maxOutputBytes: Number.MAX_SAFE_INTEGER,
      onOutput: streams.write,
      signal: either,
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      ...(stdin === undefined ? {} : { stdin }),
    });
    for (const copy of request.copyOut) await copyOut(machine.guest, copy, either);
    return exitCodeOf(result);
  } catch (error) {
    signal.throwIfAborted();
    streams.complain(machine.signal.aborted ? machine.signal.reason : error);
    return machine.signal.aborted ? EXIT.trouble : exitCodeOfError(error);
  } finally {
    await machine.giveBack();
  }
}
