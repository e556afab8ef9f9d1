// Type-checks every ts block of the documents and the examples against the sources, executes the blocks marked runnable, and compares
// those that are cut from an example with it.
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { documentBlocks, documents } from './lib/documents.ts';
import { blockFileName, blockModule, type CodeBlock, regionOf } from './lib/markdown.ts';
import { publicPackages, root } from './lib/repository.ts';
import { run } from './lib/run.ts';

const folder = join(root, '.cache', 'docs');

/** Programs that the guides are cut from. */
const EXAMPLES = 'docs/examples';

async function prepare(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const targets = new Map<string, string>();
  for (const { folder: home, manifest } of publicPackages()) {
    // Who uses a package brings its peers along, and examples may import them.
    for (const peer of Object.keys(manifest.peerDependencies ?? {}))
      targets.set(peer, join(root, home, 'node_modules', peer));
  }
  for (const { folder: home, manifest } of publicPackages()) targets.set(manifest.name, join(root, home));
  for (const [name, target] of targets) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(target, link);
  }
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  await cp(join(root, EXAMPLES), join(folder, 'examples'), { recursive: true });
  const compilerOptions = { noEmit: true, isolatedDeclarations: false, declaration: false, declarationMap: false };
  const config = { extends: '../../tsconfig.base.json', compilerOptions, include: ['*.ts', 'examples'] };
  await writeFile(join(folder, 'tsconfig.json'), `${JSON.stringify(config)}\n`);
}

/** What is wrong with a block that says where it is cut from. */
async function cutProblem({ file, line, code, source }: CodeBlock): Promise<readonly string[]> {
  if (source === undefined) return [];
  const from = `${source.file}#${source.region}`;
  if (!source.file.startsWith(`${EXAMPLES}/`))
    return [`${file}:${line}: ${from} is not below ${EXAMPLES}, where it is compiled`];
  const text = await readFile(join(root, source.file), 'utf8').catch(() => '');
  const region = regionOf(text, source.region);
  if (region === undefined) return [`${file}:${line}: there is no ${from}`];
  return region === code ? [] : [`${file}:${line} differs from ${from}, which is\n${region}`];
}

/** Checks all blocks of all documents. */
export async function checkDocs(signal?: AbortSignal): Promise<GateOutcome> {
  const blocks = documentBlocks();
  if (blocks.length === 0) {
    return { kind: 'failed', details: `no ts block found in ${documents().length} documents: that cannot be right` };
  }
  await prepare();
  const cut = blocks.filter(({ source }) => source !== undefined);
  const alone = blocks.filter(({ source }) => source === undefined);
  for (const block of alone) await writeFile(join(folder, blockFileName(block)), blockModule(block));
  const options = signal === undefined ? {} : { signal };
  const checked = await run('node_modules/.bin/tsc', ['-p', folder, '--pretty', 'false'], options);
  if (checked.exitCode !== 0) return { kind: 'failed', details: checked.output };
  const problems: string[] = (await Promise.all(cut.map(cutProblem))).flat();
  const runnable = blocks.filter((block) => block.runnable);
  for (const block of runnable) {
    const args = ['--conditions=@warmvm/source', blockFileName(block)];
    const result = await run(process.execPath, args, { ...options, cwd: folder, timeoutMs: 60_000 });
    if (result.exitCode !== 0)
      problems.push(`${block.file}:${block.line} exited with ${result.exitCode}\n${result.output}`);
  }
  if (problems.length > 0) return { kind: 'failed', details: problems.join('\n') };
  return {
    kind: 'passed',
    note: `${alone.length} blocks compile, ${runnable.length} of them executed; ${cut.length} are cut from examples`,
  };
}
