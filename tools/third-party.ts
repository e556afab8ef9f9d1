// Keeps the list of what published packages depend on, and its licences: `node tools/third-party.ts [--check]`.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { endAsProgram } from './lib/readme-block.ts';
import { root } from './lib/repository.ts';
import { run } from './lib/run.ts';

const FILE = 'THIRD-PARTY-NOTICES.md';

/** Licences under which anything may come in: they ask for a notice at most. */
const FREE: readonly string[] = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'Unlicense',
];

/** One package, as `pnpm licenses` tells of it. */
export interface LicensedPackage {
  readonly name: string;
  readonly versions: readonly string[];
  readonly license: string;
  readonly homepage?: string;
}

/** Packages whose licence nobody has looked at. */
export function licenceProblems(packages: readonly LicensedPackage[]): readonly string[] {
  return packages
    .filter(({ license }) => !FREE.includes(license))
    .map(({ name, license }) => `${name} is under ${license}, which is not among ${FREE.join(', ')}`);
}

/** The document. */
export function noticesOf(packages: readonly LicensedPackage[]): string {
  const rows = [...packages]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ name, versions, license, homepage = '' }) => `| ${name} | ${versions.join(', ')} | ${license} | ${homepage} |`,
    );
  return `# Third-party notices

Written by \`node tools/third-party.ts\` from the lockfile: change that, not this page.

What the published packages depend on at run time, directly or by others. None of it is copied into them: npm installs each from its own
package, with its licence. Peers that you choose yourself, such as prom-client and Vitest, are not listed. The tiny image is built on your computer from Debian's packages, each with its own licence, and is not distributed.

| package | version | licence | home |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

async function installedPackages(signal?: AbortSignal): Promise<readonly LicensedPackage[]> {
  const shipped = ['./packages/*', './apps/*', './bench'].flatMap((folder) => ['--filter', folder]);
  const args = [...shipped, 'licenses', 'list', '--prod', '--json'];
  const { exitCode, output } = await run('pnpm', args, signal === undefined ? {} : { signal });
  if (exitCode !== 0) throw new Error(`pnpm ${args.join(' ')}:\n${output}`);
  return Object.values(JSON.parse(output) as Record<string, LicensedPackage[]>).flat();
}

/** Compares the document with what is installed, or rewrites it. */
export async function thirdParty(mode: 'check' | 'write', signal?: AbortSignal): Promise<GateOutcome> {
  const packages = await installedPackages(signal);
  if (packages.length === 0) return { kind: 'failed', details: 'pnpm names no package: that cannot be right' };
  const problems = licenceProblems(packages);
  if (problems.length > 0) return { kind: 'failed', details: problems.join('\n') };
  const note = `${packages.length} packages`;
  const wanted = noticesOf(packages);
  if ((await readFile(join(root, FILE), 'utf8').catch(() => '')) === wanted) return { kind: 'passed', note };
  if (mode === 'check') return { kind: 'failed', details: `${FILE} is stale: run node tools/third-party.ts` };
  await writeFile(join(root, FILE), wanted);
  return { kind: 'passed', note: `${FILE} rewritten, ${note}` };
}

if (import.meta.main) endAsProgram(await thirdParty(process.argv.includes('--check') ? 'check' : 'write'));
