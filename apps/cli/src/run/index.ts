import { isatty } from 'node:tty';
import { isWarmvmError, systemClock } from '@warmvm/core/driver';
import { ConfigError } from '../config/config-error.ts';
import { explain, messageOf } from '../errors/explain.ts';
import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import { NO_PROGRESS, type Progress } from '../no-progress.ts';
import type { Output } from '../output.ts';
import type { LentMachine, MachineSource } from '../place/machine-source.ts';
import { openKept, ownFlags, untilClosed } from '../place/open-kept.ts';
import type { RunOptions } from './command.ts';
import { checkCopyIn, parseCopy } from './copies.ts';
import { keepMachine } from './keep.ts';
import { type RunOutcome, type RunRequest, runInMachine } from './run.ts';
import { StageTimes } from './stage-times.ts';
import type { InputSource } from './standard-input.ts';
import { isBrokenPipe, StandardOutput } from './standard-output.ts';

/** Made when it is read: that takes a while, and most commands read nothing. */
function standardInput(): InputSource {
  let isRead = false;
  return {
    fd: 0,
    get isTTY() {
      return isatty(0);
    },
    [Symbol.asyncIterator]() {
      isRead = true;
      return process.stdin[Symbol.asyncIterator]();
    },
    release: () => void (isRead && process.stdin.destroy()),
  };
}

/** Runs `warmvm run`. Resolves with the exit code. */
export function runRun(command: readonly string[], options: RunOptions, output: Output): Promise<number> {
  return runInterruptibly(output, (signal) => run(command, options, output, signal), { trouble: EXIT.trouble });
}

async function run(
  command: readonly string[],
  options: RunOptions,
  output: Output,
  interruption: AbortSignal,
): Promise<number> {
  const request = parseRequest(command, options);
  for (const copy of request.copyIn) await checkCopyIn(copy);
  const input = standardInput();
  const standard = new StandardOutput(process.stdout, process.stderr);
  const signal = AbortSignal.any([interruption, standard.gone]);
  const times = new StageTimes(systemClock);
  const verbose = (text: string): void => {
    if (options.verbose === true) output.writeError(`warmvm: ${text}\n`);
  };
  let progress = NO_PROGRESS;
  const stdout = options.json === true ? process.stderr : process.stdout;
  try {
    const source = await times.measure('open', async () => {
      const warn = (text: string): void => {
        if (options.quiet !== true) output.writeError(`warmvm: ${text}\n`);
      };
      const own = async (): Promise<MachineSource> => {
        const opened = await openOwn(options, signal, verbose);
        progress = opened.progress;
        return opened.source;
      };
      const kept = await openKept(options, signal, { say: verbose, warn });
      return kept === undefined ? own() : untilClosed(kept, own, warn);
    });
    let outcome: RunOutcome;
    try {
      progress.say('making a machine');
      const streams = {
        input,
        write: (bytes: Uint8Array, stream: 'stdout' | 'stderr') =>
          standard.write(stream === 'stdout' ? stdout : process.stderr, bytes),
        onMachine: ({ machineId }: LentMachine) => {
          progress.stop();
          verbose(`machine ${machineId} of ${source.description}`);
        },
        ...(options.keep === true ? { keep: keepMachine(source, output) } : {}),
      };
      outcome = await runInMachine(source, request, streams, times, signal);
      if (outcome.error !== undefined) output.writeError(`warmvm: ${explain(outcome.error, output)}\n`);
    } finally {
      progress.stop();
      await times.measure('close', async () => source[Symbol.asyncDispose]());
    }
    verbose(`took ${describeTimes(times)}`);
    if (options.json === true) output.write(`${JSON.stringify(report(outcome, times))}\n`);
    return outcome.exitCode;
  } catch (error) {
    if (standard.gone.aborted && !interruption.aborted && isBrokenPipe(standard.gone.reason)) return EXIT.brokenPipe;
    throw error;
  } finally {
    progress.stop();
    input.release?.();
    standard.release();
  }
}

async function openOwn(
  { quiet, ...flags }: RunOptions,
  signal: AbortSignal,
  verbose: (text: string) => void,
): Promise<{ readonly source: MachineSource; readonly progress: Progress }> {
  const [{ readSettings }, { openSource }, { progressFor }] = await Promise.all([
    import('../config/settings.ts'),
    import('../place/open-source.ts'),
    import('../progress.ts'),
  ]);
  const settings = await readSettings(ownFlags(flags));
  const progress = progressFor(process.stderr, {
    isWanted: quiet !== true,
    writeLine: flags.verbose === true ? verbose : undefined,
  });
  try {
    return { source: await openSource(settings, { signal, say: progress.say }), progress };
  } catch (error) {
    progress.stop();
    throw error;
  }
}

function describeTimes(times: StageTimes): string {
  const parts = Object.entries(times.durationsMs()).map(([stage, durationMs]) => `${stage} ${durationMs} ms`);
  return parts.join(', ');
}

/** What `--json` prints. */
function report({ machineId, exitCode, result, error }: RunOutcome, times: StageTimes): unknown {
  return {
    machineId,
    exitCode,
    signal: result?.signal ?? null,
    error: error === undefined ? null : { code: isWarmvmError(error) ? error.code : null, message: messageOf(error) },
    durationsMs: times.durationsMs(),
  };
}

function parseRequest(command: readonly string[], options: RunOptions): RunRequest {
  if (options.cwd !== undefined && !options.cwd.startsWith('/')) {
    throw new ConfigError(`--cwd ${options.cwd}: expected an absolute path in the guest`);
  }
  return {
    command,
    environment: options.env ?? {},
    workingDirectory: options.cwd,
    timeoutMs: options.timeout,
    copyIn: (options.copyIn ?? []).map((text) => parseCopy('--copy-in', text, '/tmp')),
    copyOut: (options.copyOut ?? []).map((text) => parseCopy('--copy-out', text, '.')),
    interactive: options.interactive === true,
  };
}
