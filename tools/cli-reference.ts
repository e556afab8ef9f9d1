// Keeps what the command line's program says of itself in step with it: `node --conditions=@warmvm/source tools/cli-reference.ts [--check]`.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { root } from './lib/repository.ts';

/** Compares the generated files with the program, or rewrites them. */
export async function cliReference(mode: 'check' | 'write', base: string = root): Promise<GateOutcome> {
  // Loaded late: it needs the sources of the workspace, which the other gates do without.
  const { commandLineReference, configJsonSchema } = await import('../apps/cli/src/reference/index.ts');
  const wanted = { 'docs/cli.md': commandLineReference(), 'apps/cli/config.schema.json': configJsonSchema() };
  const stale: string[] = [];
  for (const [file, text] of Object.entries(wanted)) {
    const path = join(base, file);
    if ((await readFile(path, 'utf8').catch(() => '')) === text) continue;
    stale.push(file);
    if (mode === 'write') await writeFile(path, text);
  }
  if (stale.length === 0) return { kind: 'passed' };
  if (mode === 'write') return { kind: 'passed', note: `rewritten: ${stale.join(', ')}` };
  const command = 'node --conditions=@warmvm/source tools/cli-reference.ts';
  return { kind: 'failed', details: `stale: ${stale.join(', ')}; run ${command}` };
}

if (import.meta.main) {
  const outcome = await cliReference(process.argv.includes('--check') ? 'check' : 'write');
  console.log(outcome.kind === 'failed' ? outcome.details : 'note' in outcome ? (outcome.note ?? 'ok') : 'ok');
  process.exitCode = outcome.kind === 'failed' ? 1 : 0;
}
