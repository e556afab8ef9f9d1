// Paths begin at this folder: bundled code lies in `dist` as its sources lie in `src`, with the same neighbours.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const IS_SOURCE = import.meta.url.endsWith('.ts');

/** What figures are held against when nothing else is said. */
export const TARGETS_FILE: string = pathOf('../targets.json');

/** What is no code: styles and scripts of pages, programs in other languages. */
export function assetPath(name: string): string {
  return pathOf(`../assets/${name}`);
}

/**
 * The arguments of Node that start a program of this package in a process of its own.
 * @param name path of its source below `src`, without its extension
 */
export function programWords(name: 'run-apart-main' | 'host/process-watch-main' | 'pool-engine/task-main'): string[] {
  return IS_SOURCE
    ? ['--conditions=@warmvm/source', '--no-warnings', pathOf(`./${name}.ts`)]
    : [pathOf(`./${name}.js`)];
}

/** The version of this package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(pathOf('../package.json'), 'utf8')) as { version: string }).version;
}

/** The checkout of warmvm that this package is part of; undefined where it is installed from a registry. */
export function checkoutFolder(): string | undefined {
  const folder = pathOf('../..');
  return existsSync(`${folder}/.git`) && existsSync(`${folder}/bench/package.json`) ? folder : undefined;
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url)).replace(/\/$/, '');
}
