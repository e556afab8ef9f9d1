import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathDistrust, type TrustFacts } from '@warmvm/core/driver';
import { ConfigError } from './config-error.ts';

const NAMES = ['ts', 'mts', 'mjs', 'js', 'json'].map((extension) => `warmvm.config.${extension}`);

/**
 * The nearest configuration file of the folder or those above it; undefined where there is none.
 * @throws ConfigError for a file that somebody else could have put there
 */
export function findConfigFile(folder: string, trust?: TrustFacts): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    for (const name of NAMES) {
      const path = join(at, name);
      if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue;
      requireTrusted(path, trust);
      return path;
    }
    if (dirname(at) === at) return undefined;
  }
}

/**
 * A configuration is code, or names code that is loaded: it must come from this user or root.
 * @throws ConfigError that says who else could have written the file
 */
export function requireTrusted(path: string, trust?: TrustFacts): void {
  const problem = pathDistrust(path, trust);
  if (problem === undefined) return;
  throw new ConfigError(
    `the configuration ${path} is not used, for it can run programs as this user: ${problem}. ` +
      'Make the file and the folders above it yours (chown, chmod go-w), or name a file of yours with --config',
  );
}
