import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { readSettings } from '../config/settings.ts';
import { EXIT } from '../exit-codes.ts';
import { systemCommandRunner } from '../host/command-runner.ts';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { withDriver } from '../place/open-source.ts';
import { findLeftovers } from '../sweep/leftovers.ts';
import type { DoctorOptions } from './command.ts';
import type { Finding, Level } from './finding.ts';
import { findingsOf } from './findings.ts';
import { readFacts } from './read-facts.ts';

/** Runs `warmvm doctor`. Resolves with the exit code: 0, or 1 where there is a problem. */
export function runDoctor(options: DoctorOptions, output: Output): Promise<number> {
  return runInterruptibly(output, async (signal) => {
    let findings = findingsOf(await readFacts(await countLeftovers(options, signal)));
    if (options.json !== true) output.write(`${findings.map(shown).join('\n')}\n${closing(findings)}\n`);
    if (options.fix === true && (await mend(findings, options, output, signal))) {
      findings = findingsOf(await readFacts(await countLeftovers(options, signal)));
      if (options.json !== true)
        output.write(`\nafterwards:\n${findings.map(shown).join('\n')}\n${closing(findings)}\n`);
    }
    if (options.json === true) output.write(`${JSON.stringify({ schema: 1, findings }, null, 2)}\n`);
    return findings.some(({ level }) => level === 'problem') ? EXIT.failed : EXIT.ok;
  });
}

/** A driver that cannot be asked says so elsewhere. */
async function countLeftovers(options: DoctorOptions, signal: AbortSignal): Promise<Readonly<Record<string, number>>> {
  const settings = await readSettings(options);
  const chosen = await withDriver(settings).catch(() => undefined);
  if (chosen === undefined) return {};
  const counts: Record<string, number> = {};
  for (const choice of chosen.drivers) {
    const found = await findLeftovers(choice, chosen, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (found === undefined) continue;
    counts[choice.use] = found.records.filter(({ fate }) => fate === 'dead').length;
    await found[Symbol.asyncDispose]();
  }
  return counts;
}

const MARKS = { ok: ['ok', 'green'], warning: ['warning', 'yellow'], problem: ['PROBLEM', 'red'] } as const;

function shown({ level, text, fix }: Finding): string {
  const [word, colour] = MARKS[level];
  const mark = process.stdout.isTTY === true ? styleText(colour, word.padEnd(8)) : word.padEnd(8);
  return level === 'ok' || fix === undefined ? `${mark} ${text}` : `${mark} ${text}\n           fix: ${fix.text}`;
}

function closing(findings: readonly Finding[]): string {
  const count = (wanted: Level): number => findings.filter(({ level }) => level === wanted).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  return `\n${problems} problem${problems === 1 ? '' : 's'}, ${warnings} warning${warnings === 1 ? '' : 's'}`;
}

/** Applies what can be applied, each after it was said. Resolves with whether anything was tried. */
async function mend(
  findings: readonly Finding[],
  options: DoctorOptions,
  output: Output,
  signal: AbortSignal,
): Promise<boolean> {
  const isRoot = process.getuid?.() === 0;
  let tried = false;
  for (const { level, fix } of findings) {
    if (level === 'ok' || fix?.command === undefined) continue;
    const line = fix.command.join(' ');
    if (fix.needsRoot === true && !isRoot) {
      output.writeError(`not done, only root may: sudo ${line}\n`);
      continue;
    }
    if (options.yes !== true && !(await agreed(line, output, signal))) continue;
    output.writeError(`running: ${line}\n`);
    tried = true;
    const environment = { DEBIAN_FRONTEND: 'noninteractive' };
    const { exitCode, output: said } = await systemCommandRunner.run(fix.command, { signal, environment });
    if (exitCode !== 0)
      output.writeError(`it ended with ${exitCode}:\n${said.trim().split('\n').slice(-6).join('\n')}\n`);
  }
  return tried;
}

async function agreed(line: string, output: Output, signal: AbortSignal): Promise<boolean> {
  if (process.stdin.isTTY !== true) {
    output.writeError(`not done without a terminal to ask at or --yes: ${line}\n`);
    return false;
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`run: ${line} ? [y/N] `, { signal })).trim());
  } finally {
    lines.close();
  }
}
