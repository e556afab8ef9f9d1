// A project of somebody else: what this repository looks like from outside, through its tarballs alone.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Manifest, publicPackages, root } from './repository.ts';
import { run } from './run.ts';

/** Packs every public package, which must have been built; paths of the tarballs. */
export async function pack(folder: string, signal: AbortSignal): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  for (const { folder: home } of publicPackages()) {
    const { exitCode, output } = await run('pnpm', ['pack', '--pack-destination', folder], {
      cwd: join(root, home),
      signal,
    });
    if (exitCode !== 0) throw new Error(`pnpm pack in ${home}:\n${output}`);
  }
  return (await readdir(folder)).filter((file) => file.endsWith('.tgz')).map((file) => join(folder, file));
}

/** Installs tarballs in an empty project. */
export async function install(project: string, tarballs: readonly string[], signal: AbortSignal): Promise<void> {
  const catalog = JSON.parse(await readFile(join(root, 'node_modules/@types/node/package.json'), 'utf8')) as Manifest;
  await mkdir(project, { recursive: true });
  await writeFile(join(project, 'package.json'), '{ "name": "smoke", "private": true, "type": "module" }\n');
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error'];
  const wanted = [...tarballs, `@types/node@${catalog.version}`];
  const { exitCode, output } = await run('npm', ['install', '--prefix', project, ...flags, ...wanted], {
    cwd: project,
    signal,
  });
  if (exitCode !== 0) throw new Error(`npm install of the tarballs:\n${output}`);
}

/** Compiles sources below `src` of the project to `out`. @throws Error with what the compiler says */
export async function compile(
  project: string,
  sources: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<void> {
  for (const [file, text] of sources) {
    const path = join(project, 'src', file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  // What a careful user sets; es2022 so that `await using` in an example is written out for old Nodes.
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2024', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    rewriteRelativeImportExtensions: true,
    rootDir: 'src',
    outDir: 'out',
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  const { exitCode, output } = await run(join(root, 'node_modules/.bin/tsc'), ['-p', project, '--pretty', 'false'], {
    signal,
  });
  if (exitCode !== 0) throw new Error(`type-check against the packed packages:\n${output}`);
}
