import { readdir } from 'node:fs/promises';
import { benchFigures } from '../bench-figures.ts';
import { checkCauses } from '../check-causes.ts';
import { checkClauses } from '../check-clauses.ts';
import { checkDocs } from '../check-docs.ts';
import { checkErrors } from '../check-errors.ts';
import { checkImports } from '../check-imports.ts';
import { checkLinks } from '../check-links.ts';
import { checkPrivate } from '../check-private.ts';
import { cliReference } from '../cli-reference.ts';
import { run } from '../lib/run.ts';
import { libvirtProcedures } from '../libvirt-procedures.ts';
import { packSmoke } from '../pack-smoke.ts';
import { readmeFigures } from '../readme-figures.ts';
import { prepareRealHosts, realSuitesMandatory } from '../real-hosts.ts';
import { supportMatrixGate } from '../support-matrix.ts';
import { telemetryReference } from '../telemetry-reference.ts';
import { thirdParty } from '../third-party.ts';
import type { Gate, GateOutcome } from './gate.ts';
import { vitest } from './vitest.ts';

function command(name: string, program: string, args: readonly string[], extra: Partial<Gate> = {}): Gate {
  return {
    name,
    ...extra,
    async run(signal) {
      const { exitCode, output } = await run(`node_modules/.bin/${program}`, args, { signal });
      return exitCode === 0 ? { kind: 'passed' } : { kind: 'failed', details: output };
    },
  };
}

/** Suites that are too long or too dependent on a quiet computer to decide about a change. */
async function manualSuites(): Promise<readonly string[]> {
  return (await readdir('test-e2e/src')).filter((name) => name.endsWith('.manual.ts'));
}

/** Guests under emulation on a shared computer take their time; what hangs is ended all the same. */
const REAL_SUITES_MS = 3_900_000;

/** Passes on what the reporter of files says, and not what the tests print. */
function printFiles(print: (text: string) => void): (line: string) => void {
  return (line) => {
    if (/^(test-e2e\/| {2}failed: )/.test(line)) print(`         ${line}`);
  };
}

async function realSuites(signal: AbortSignal, print: (text: string) => void): Promise<GateOutcome> {
  const hosts = await prepareRealHosts(signal, print);
  if (hosts.kind === 'unavailable') {
    return { kind: 'notRun', reason: hosts.reason, mandatory: realSuitesMandatory(process.env) };
  }
  for (const file of await manualSuites()) print(`         left to a person, see its first lines: ${file}`);
  try {
    const { environment } = hosts;
    return await vitest('e2e', [], { signal, environment, timeoutMs: REAL_SUITES_MS, onLine: printFiles(print) });
  } finally {
    await hosts.daemon[Symbol.asyncDispose]();
  }
}

/** Every gate of this repository, the quick ones first so that a mistake shows early. */
export function gateList(print: (text: string) => void): readonly Gate[] {
  return [
    command('format and lint (biome)', 'biome', [
      'ci',
      '--error-on-warnings',
      '--max-diagnostics=50',
      '--colors=off',
      '.',
    ]),
    { name: 'no private hosts or paths', run: checkPrivate },
    { name: 'imports', run: async () => checkImports() },
    { name: 'error causes', run: async () => checkCauses() },
    command('boundaries (turbo)', 'turbo', ['boundaries']),
    command('type-check (packages)', 'turbo', ['run', 'typecheck', '--output-logs=errors-only', '--continue']),
    command('type-check (tools)', 'tsc', ['-p', 'tools', '--pretty', 'false']),
    { name: 'documents compile and run', run: checkDocs },
    { name: 'links of documents', run: async () => checkLinks() },
    { name: 'error table', run: async () => checkErrors() },
    { name: 'clause table', run: async () => checkClauses() },
    { name: 'event and metric reference', run: () => telemetryReference('check') },
    { name: 'command line reference', run: () => cliReference('check') },
    { name: 'procedures of the libvirt client', run: () => libvirtProcedures('check') },
    { name: 'third-party notices', run: (signal) => thirdParty('check', signal) },
    { name: 'README figures', run: async () => readmeFigures('check') },
    { name: 'README figures: bench', run: async () => benchFigures('check') },
    { name: 'README figures: support matrix', run: async () => supportMatrixGate('check') },
    command('unused code (knip)', 'knip', ['--no-progress']),
    {
      name: 'unit tests and coverage',
      run: (signal) => vitest('unit', ['--coverage', '--coverage.reporter=text-summary'], { signal }),
    },
    command('build', 'turbo', ['run', 'build', '--output-logs=errors-only'], { slow: true }),
    command(
      'package shape (publint, attw)',
      'turbo',
      ['run', 'lint:package', '--output-logs=errors-only', '--continue'],
      {
        slow: true,
        needs: ['build'],
      },
    ),
    { name: 'packed packages in use', slow: true, needs: ['build'], run: packSmoke },
    { name: 'suites on real hypervisors', slow: true, run: (signal) => realSuites(signal, print) },
  ];
}
