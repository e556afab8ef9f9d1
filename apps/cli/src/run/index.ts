import { isWarmvmError, systemClock } from '@warmvm/core';
import { ConfigError } from '../config/config-error.ts';
import { readSettings } from '../config/settings.ts';
import { explain, messageOf } from '../errors/explain.ts';
import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { openSource } from '../place/open-source.ts';
import { progressFor } from '../progress.ts';
import type { RunOptions } from './command.ts';
import { parseCopy } from './copies.ts';
import { keepMachine } from './keep.ts';
import { type RunOutcome, type RunRequest, runInMachine } from './run.ts';
import { StageTimes } from './stage-times.ts';
import { isBrokenPipe, StandardOutput } from './standard-output.ts';

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
  const settings = await readSettings(options);
  const standard = new StandardOutput(process.stdout, process.stderr);
  const signal = AbortSignal.any([interruption, standard.gone]);
  const times = new StageTimes(systemClock);
  const progress = progressFor(process.stderr, options.quiet !== true);
  const stdout = options.json === true ? process.stderr : process.stdout;
  try {
    const source = await times.measure('open', () => openSource(settings, { signal, say: progress.say }));
    let outcome: RunOutcome;
    try {
      progress.say('making a machine');
      const streams = {
        input: process.stdin,
        write: (bytes: Uint8Array, stream: 'stdout' | 'stderr') =>
          standard.write(stream === 'stdout' ? stdout : process.stderr, bytes),
        onMachine: () => progress.stop(),
        ...(options.keep === true ? { keep: keepMachine(source, output) } : {}),
      };
      outcome = await runInMachine(source, request, streams, times, signal);
      if (outcome.error !== undefined) output.writeError(`warmvm: ${explain(outcome.error, output)}\n`);
    } finally {
      progress.stop();
      await times.measure('close', async () => source[Symbol.asyncDispose]());
    }
    if (options.json === true) output.write(`${JSON.stringify(report(outcome, times))}\n`);
    return outcome.exitCode;
  } catch (error) {
    if (standard.gone.aborted && !interruption.aborted && isBrokenPipe(standard.gone.reason)) return EXIT.brokenPipe;
    throw error;
  } finally {
    progress.stop();
    standard.release();
  }
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
