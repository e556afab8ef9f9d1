import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import type { Safeguard } from '@warmvm/core';
import { shownText } from '@warmvm/core/driver';
import { systemCommandRunner } from '@warmvm/local-host';
import type { DriverChoice } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { readSettings } from '../config/settings.ts';
import { explain } from '../errors/explain.ts';
import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { hostName, hostsToSweep } from '../sweep/hosts.ts';
import { findLeftovers } from '../sweep/leftovers.ts';
import type { DoctorOptions } from './command.ts';
import type { ComputerFacts, HostState } from './facts.ts';
import type { Finding, Level } from './finding.ts';
import { findingsOf } from './findings.ts';
import { type Mending, mend } from './mend.ts';
import { readFacts } from './read-facts.ts';

/** Runs `warmvm doctor`. Resolves with the exit code: 0, or 1 where there is a problem. */
export function runDoctor(options: DoctorOptions, output: Output): Promise<number> {
  return runInterruptibly(output, async (signal) => {
    let findings = findingsOf(await readFacts(await askDrivers(options, signal)));
    if (options.json !== true) output.write(`${findings.map(shown).join('\n')}\n${closing(findings)}\n`);
    if (options.fix === true && (await mend(findings, mendingBy(options, output, signal)))) {
      findings = findingsOf(await readFacts(await askDrivers(options, signal)));
      if (options.json !== true)
        output.write(`\nafterwards:\n${findings.map(shown).join('\n')}\n${closing(findings)}\n`);
    }
    if (options.json === true) output.write(`${JSON.stringify({ schema: 1, findings }, null, 2)}\n`);
    return findings.some(({ level }) => level === 'problem') ? EXIT.failed : EXIT.ok;
  });
}

type Asked = Pick<ComputerFacts, 'configurationMistake' | 'hosts' | 'leftovers' | 'containment'>;

/** What only drivers know: each host that is configured is asked, and one that cannot be reached is a finding. */
async function askDrivers(options: DoctorOptions, signal: AbortSignal): Promise<Asked> {
  const hosts: HostState[] = [];
  const leftovers: Record<string, number> = {};
  const containment: Record<string, readonly Safeguard[]> = {};
  let configurationMistake: string | null = null;
  try {
    const settings = await readSettings(options);
    const isConfigured = settings.drivers.length > 0;
    // Without any hypervisor other findings say what is missing.
    const choices = await hostsToSweep(settings).catch(() => [] as readonly DriverChoice[]);
    for (const choice of choices) {
      const name = hostName(choice);
      try {
        const found = await findLeftovers(choice, settings, signal, options.pool);
        try {
          leftovers[name] = found.records.filter(({ fate }) => fate === 'dead').length;
          const told = await found.driver.ping({ signal });
          if (told.containment !== undefined) containment[name] = told.containment;
          hosts.push({ name, isConfigured, problem: null, remedy: null });
        } finally {
          await found[Symbol.asyncDispose]();
        }
      } catch (error) {
        if (error instanceof ConfigError) throw error;
        signal.throwIfAborted();
        hosts.push({ name, isConfigured, ...problemOf(error) });
      }
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    configurationMistake = error.message;
  }
  return { configurationMistake, hosts, leftovers, containment };
}

/** The words of `explain`, apart: what is wrong, and what to do. */
function problemOf(error: unknown): { readonly problem: string; readonly remedy: string | null } {
  const lines = explain(error).split('\n');
  const [said, todo] = [lines.filter((line) => !line.startsWith(TO_DO)), lines.find((line) => line.startsWith(TO_DO))];
  const remedy = todo?.slice(TO_DO.length) ?? null;
  // The remedy of many codes is this very command.
  const isThis = remedy === null || /warmvm doctor/.test(remedy);
  return { problem: said.join('\n').replace(/^error: /, ''), remedy: isThis ? null : remedy };
}

const TO_DO = '  to do: ';

function mendingBy({ yes }: DoctorOptions, output: Output, signal: AbortSignal): Mending {
  return {
    runner: systemCommandRunner,
    isRoot: process.getuid?.() === 0,
    agrees: async (line) => yes === true || (await asked(line, output, signal)),
    tell: (text) => output.writeError(text),
    signal,
  };
}

async function asked(line: string, output: Output, signal: AbortSignal): Promise<boolean> {
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

/** What is printed of one finding: hosts and configurations have a part in its text. */
const MOST_SHOWN = { mostChars: 4_000, keepLineBreaks: true } as const;

const MARKS = { ok: ['ok', 'green'], warning: ['warning', 'yellow'], problem: ['PROBLEM', 'red'] } as const;

function shown({ level, text, fix }: Finding): string {
  const [word, colour] = MARKS[level];
  const mark = process.stdout.isTTY === true ? styleText(colour, word.padEnd(8)) : word.padEnd(8);
  const said = `${mark} ${shownText(text, MOST_SHOWN).replaceAll('\n', '\n         ')}`;
  return level === 'ok' || fix === undefined ? said : `${said}\n           fix: ${shownText(fix.text, MOST_SHOWN)}`;
}

function closing(findings: readonly Finding[]): string {
  const count = (wanted: Level): number => findings.filter(({ level }) => level === wanted).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  return `\n${problems} problem${problems === 1 ? '' : 's'}, ${warnings} warning${warnings === 1 ? '' : 's'}`;
}
