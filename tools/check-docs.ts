// Type-checks every ts block of the documents against the sources, and executes the ones marked runnable.
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { documentBlocks, documents } from './lib/documents.ts';
import { blockFileName, blockModule } from './lib/markdown.ts';
import { publicPackages, root } from './lib/repository.ts';
import { run } from './lib/run.ts';

const folder = join(root, '.cache', 'docs');

async function prepare(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const { folder: home, manifest } of publicPackages()) {
    const link = join(folder, 'node_modules', manifest.name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, home), link);
  }
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const compilerOptions = { noEmit: true, isolatedDeclarations: false, declaration: false, declarationMap: false };
  const config = { extends: '../../tsconfig.base.json', compilerOptions, include: ['*.ts'] };
  await writeFile(join(folder, 'tsconfig.json'), `${JSON.stringify(config)}\n`);
}

/** Checks all blocks of all documents. */
export async function checkDocs(signal?: AbortSignal): Promise<GateOutcome> {
  const blocks = documentBlocks();
  if (blocks.length === 0) {
    return { kind: 'failed', details: `no ts block found in ${documents().length} documents: that cannot be right` };
  }
  await prepare();
  for (const block of blocks) await writeFile(join(folder, blockFileName(block)), blockModule(block));
  const options = signal === undefined ? {} : { signal };
  const checked = await run('node_modules/.bin/tsc', ['-p', folder, '--pretty', 'false'], options);
  if (checked.exitCode !== 0) return { kind: 'failed', details: checked.output };
  const problems: string[] = [];
  const runnable = blocks.filter((block) => block.runnable);
  for (const block of runnable) {
    const args = ['--conditions=@warmvm/source', blockFileName(block)];
    const result = await run(process.execPath, args, { ...options, cwd: folder, timeoutMs: 60_000 });
    if (result.exitCode !== 0)
      problems.push(`${block.file}:${block.line} exited with ${result.exitCode}\n${result.output}`);
  }
  if (problems.length > 0) return { kind: 'failed', details: problems.join('\n') };
  return { kind: 'passed', note: `${blocks.length} blocks compile, ${runnable.length} of them executed` };
}
