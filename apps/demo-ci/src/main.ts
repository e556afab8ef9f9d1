import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { ConfigError, loadSettings } from 'warmvm';
import { runCi } from './ci.ts';
import { JobsError } from './job.ts';

const USAGE = `usage: demo-ci [jobs.json] [--results <folder>]

Runs every job of the list in a clean virtual machine. Which, and where: warmvm.config.* and the WARMVM_ variables.
Exit code 0: all jobs passed. 1: one did not. 2: the list or the configuration is wrong. 125: no machines. 130: interrupted.
`;

async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

function say(text: string): void {
  process.stderr.write(`demo-ci: ${text}\n`);
}

async function main(signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { results: { type: 'string', default: 'results' }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (values.help === true) {
    await write(USAGE);
    return 0;
  }
  const [jobs = 'jobs.json'] = positionals;
  const settings = await loadSettings();
  say(`${jobs} on ${settings.drivers.map(({ use }) => use).join(', ')}`);
  const summary = await runCi({ jobs, results: values.results, settings, write, onProgress: say, signal });
  const count = summary.jobs.filter(({ outcome }) => outcome === 'passed').length;
  say(`${count} of ${summary.jobs.length} jobs passed in ${(summary.durationMs / 1000).toFixed(1)} s`);
  return summary.passed ? 0 : 1;
}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Once: a second Ctrl-C ends the process without waiting for what it destroys.
  process.once(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}
try {
  process.exitCode = await main(interruption.signal);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  const isUsage = error instanceof ConfigError || error instanceof JobsError || isBadArgument(error);
  process.exitCode = interruption.signal.aborted ? 130 : isUsage ? 2 : 125;
}

function isBadArgument(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
