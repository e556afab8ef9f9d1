// Packs every public package, installs the tarballs in an empty project as a user would, type-checks against them, and
// runs them on the oldest supported Node and on the present one.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { foreignDriverProblems } from './foreign-driver.ts';
import type { GateOutcome } from './gates/gate.ts';
import { documentBlocks } from './lib/documents.ts';
import { compile, install, pack } from './lib/foreign-project.ts';
import { blockFileName, blockModule } from './lib/markdown.ts';
import { type Manifest, publicPackages } from './lib/repository.ts';
import { run } from './lib/run.ts';
import { nodeOfVersion } from './lib/toolchain.ts';
import { packedBenchProblems } from './packed-bench.ts';

/** The oldest Node that users may have. */
export const OLDEST_NODE = '22.12.0';

/** Every specifier a user may import from a package: its exports without the files. */
export function entryPoints(manifest: Manifest): readonly string[] {
  return Object.keys(manifest.exports ?? {})
    .filter((key) => !key.endsWith('.json') && !key.includes('*'))
    .map((key) => manifest.name + key.slice(1));
}

/** A module that imports every entry point and fails when one of them exports nothing. */
export function importEverything(specifiers: readonly string[]): string {
  const imports = specifiers.map((specifier, index) => `import * as entry${index} from '${specifier}';`);
  const list = specifiers.map((specifier, index) => `['${specifier}', entry${index}]`);
  return `${imports.join('\n')}
const entries: [string, object][] = [${list.join(', ')}];
for (const [specifier, entry] of entries) {
  if (Object.keys(entry).length === 0) throw new Error(specifier + ' exports nothing');
}
`;
}

/** All that a user has a use for: what runs, its types, the sources that maps lead to, and what explains it. */
const WANTED = [
  /^bin\/warmvm\.js$/,
  /^dist\/.+\.(js|d\.ts)(\.map)?$/,
  /^src\/(?!.*(?:\.test(?:-d)?\.ts$|fixtures\/|node_modules\/)).+\.ts$/,
  /^assets\/.+\.(css|js|py)$/,
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|config\.schema\.json|targets\.json)$/,
];

/** What must not be inside a published package, or is missing there. */
export function packedProblems(manifest: Manifest, files: readonly string[]): readonly string[] {
  const stray = files.filter((file) => !WANTED.some((pattern) => pattern.test(file)));
  const text = JSON.stringify(manifest);
  return [
    ...stray.map((file) => `${manifest.name} ships ${file}`),
    ...['workspace:', 'catalog:', '@warmvm/source']
      .filter((word) => text.includes(word))
      .map((word) => `${manifest.name} ships a package.json with "${word}"`),
    ...['README.md', 'LICENSE', 'package.json']
      .filter((file) => !files.includes(file))
      .map((file) => `${manifest.name} ships no ${file}`),
  ];
}

/** Files of a tarball, without the folder that they are in. */
async function filesOf(tarball: string, signal: AbortSignal): Promise<readonly string[]> {
  const { exitCode, output } = await run('tar', ['-tzf', tarball], { signal });
  if (exitCode !== 0) throw new Error(`tar -tzf ${tarball}:\n${output}`);
  return output
    .trim()
    .split('\n')
    .map((file) => file.replace(/^package\//, ''));
}

/** Checks all public packages. They must have been built. */
export async function packSmoke(signal: AbortSignal): Promise<GateOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm pack '));
  try {
    const tarballs = await pack(join(folder, 'tarballs'), signal);
    const project = join(folder, 'project');
    await install(project, tarballs, signal);
    const specifiers: string[] = [];
    const programs: string[] = [];
    const problems: string[] = [];
    for (const { manifest } of publicPackages()) {
      const home = join(project, 'node_modules', manifest.name);
      const packed = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as Manifest;
      const name = `${manifest.name.replace('@', '').replace('/', '-')}-${packed.version}.tgz`;
      problems.push(...packedProblems(packed, await filesOf(join(folder, 'tarballs', name), signal)));
      specifiers.push(...entryPoints(packed));
      programs.push(...Object.values(packed.bin ?? {}).map((file) => join(home, file)));
    }
    if (problems.length > 0) return { kind: 'failed', details: problems.join('\n') };
    const examples = documentBlocks().filter((block) => block.runnable);
    const sources = new Map([['imports.ts', importEverything(specifiers)]]);
    for (const block of examples) sources.set(blockFileName(block), blockModule(block));
    await compile(project, sources, signal);
    const nodes = [await nodeOfVersion(OLDEST_NODE, signal), process.execPath];
    for (const node of nodes) {
      const scripts = [...sources.keys()].map((file) => [join(project, 'out', file.replace(/\.ts$/, '.js'))]);
      const calls = programs.flatMap((program) => [
        [program, '--version'],
        [program, 'run', '--driver', 'fake', '--', 'echo', 'hi'],
      ]);
      for (const args of [...scripts, ...calls]) {
        const result = await run(node, args, { cwd: project, timeoutMs: 60_000, signal });
        if (result.exitCode !== 0)
          problems.push(`${node} ${args.join(' ')} exited with ${result.exitCode}\n${result.output}`);
      }
      for (const program of programs) problems.push(...(await packedBenchProblems(project, program, node, signal)));
    }
    problems.push(...(await foreignDriverProblems(join(folder, 'foreign'), tarballs, nodes, signal)));
    if (problems.length > 0) return { kind: 'failed', details: problems.join('\n') };
    const note = `${tarballs.length} packages, ${specifiers.length} entry points, ${examples.length} examples, a driver of somebody else, Node ${OLDEST_NODE} and ${process.versions.node}`;
    return { kind: 'passed', note };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
