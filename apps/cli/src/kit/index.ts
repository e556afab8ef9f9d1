import { writeFile } from 'node:fs/promises';
import { isConformant, type KitReport, openSubjects, runKit } from '@warmvm/driver-testkit';
import { loadModule, requireWritable, SUBJECTS } from '@warmvm/local-host';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import type { KitOptions } from './options.ts';
import { closingWords, resultLine } from './progress.ts';

/**
 * Holds a driver against the contract, a line for each case, and writes the report. Resolves with the exit code: 0 when the driver
 * keeps the contract, 1 when it does not or nothing could be run, 130 when interrupted.
 */
export function runKitCommand(options: KitOptions, output: Output, folder: string = process.cwd()): Promise<number> {
  return runInterruptibly(output, async (signal) => {
    await requireWritable('--report', options.report);
    const report = await run(options, output, folder, signal);
    await writeFile(options.report, `${JSON.stringify(report, null, 2)}\n`);
    output.write(`${closingWords(report)}\nwritten to ${options.report}\n`);
    return isConformant(report) ? 0 : 1;
  });
}

async function run(
  { driver, only, options, lanes, timeFactor }: KitOptions,
  output: Output,
  folder: string,
  signal: AbortSignal,
): Promise<KitReport> {
  const say = (text: string): void => output.write(`  ${text}\n`);
  const builtIn = Object.hasOwn(SUBJECTS, driver) ? SUBJECTS[driver] : undefined;
  const module = await (builtIn?.() ?? loadModule(driver, folder));
  const opened = await openSubjects(module, { lanes, options, timeFactor, say, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`nothing was run: there is no host to try ${driver} on: ${why}`, { cause });
  });
  try {
    output.write(`warmvm kit: ${opened.subjects[0]?.name}\n`);
    const onResult = (result: KitReport['results'][number]): void => output.write(`${resultLine(result)}\n`);
    return await runKit(opened.subjects, { ...(only === undefined ? {} : { only }), timeFactor, signal, onResult });
  } finally {
    await opened[Symbol.asyncDispose]();
  }
}
