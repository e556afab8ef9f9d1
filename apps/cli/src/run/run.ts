import type { ExecResult } from '@warmvm/core';
import { EXIT, exitCodeOf, exitCodeOfError } from '../exit-codes.ts';
import type { LentMachine, MachineSource } from '../place/machine-source.ts';
import { type Copy, copyIn, copyOut } from './copies.ts';
import type { StageTimes } from './stage-times.ts';
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
  /** Told once the machine is there. */
  readonly onMachine?: (machine: LentMachine) => void;
  /** Asked before the machine is given back; what it waits for keeps the machine. */
  readonly keep?: (machine: LentMachine, signal: AbortSignal) => Promise<void>;
}

/** How it went. */
export interface RunOutcome {
  readonly machineId: string;
  /** That of the program, or one of ours. */
  readonly exitCode: number;
  /** How the program ended; undefined when it never began, or nobody saw its end. */
  readonly result: Pick<ExecResult, 'exitCode' | 'signal'> | undefined;
  /** What went wrong that was not the program's own failure. */
  readonly error: unknown;
}

/**
 * Runs one command in a machine that nobody had before.
 * @throws the signal's reason; what keeps a machine from being lent
 */
export async function runInMachine(
  source: MachineSource,
  request: RunRequest,
  streams: RunStreams,
  times: StageTimes,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const machine = await times.measure('lend', () => source.lend({ signal }));
  streams.onMachine?.(machine);
  try {
    const outcome = await runOnce(machine, request, streams, times, signal);
    await streams.keep?.(machine, signal);
    return outcome;
  } finally {
    await times.measure('giveBack', () => machine.giveBack());
  }
}

async function runOnce(
  machine: LentMachine,
  request: RunRequest,
  streams: RunStreams,
  times: StageTimes,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const either = AbortSignal.any([signal, machine.signal]);
  let isCommand = false;
  let result: ExecResult | undefined;
  try {
    await times.measure('copyIn', async () => {
      for (const copy of request.copyIn) await copyIn(machine.guest, copy, either);
    });
    isCommand = true;
    result = await times.measure('command', () => execute(machine, request, streams, either));
    isCommand = false;
    await times.measure('copyOut', async () => {
      for (const copy of request.copyOut) await copyOut(machine.guest, copy, either);
    });
    return { machineId: machine.machineId, exitCode: exitCodeOf(result), result, error: undefined };
  } catch (error) {
    signal.throwIfAborted();
    const isLost = machine.signal.aborted;
    const ended = result === undefined ? EXIT.ok : exitCodeOf(result);
    const ours = isCommand && !isLost ? exitCodeOfError(error) : EXIT.trouble;
    return {
      machineId: machine.machineId,
      // A command that failed has said more than a file that cannot be copied.
      exitCode: ended === EXIT.ok ? ours : ended,
      result,
      error: isLost ? machine.signal.reason : error,
    };
  }
}

async function execute(
  { guest }: LentMachine,
  { command, environment, timeoutMs, workingDirectory, interactive }: RunRequest,
  streams: RunStreams,
  signal: AbortSignal,
): Promise<ExecResult> {
  const stdin = await inputForGuest(streams.input, interactive);
  return guest.exec(command, {
    environment,
    timeoutMs: timeoutMs ?? FOREVER_MS,
    maxOutputBytes: Number.MAX_SAFE_INTEGER,
    onOutput: streams.write,
    signal,
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
    ...(stdin === undefined ? {} : { stdin }),
  });
}
