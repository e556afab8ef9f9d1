import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const NAMES = ['ts', 'mts', 'mjs', 'js', 'json'].map((extension) => `warmvm.config.${extension}`);

/** The nearest configuration file of the folder or those above it; undefined where there is none. */
export function findConfigFile(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    for (const name of NAMES) {
      const path = join(at, name);
      if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
    }
    if (dirname(at) === at) return undefined;
  }
}
