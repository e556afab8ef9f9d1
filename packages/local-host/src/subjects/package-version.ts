import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require: NodeJS.Require = createRequire(import.meta.url);

/** The version of an installed package of ours, all of which let their package.json be read. */
export function packageVersion(name: string): string {
  const { version } = JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8')) as { version: string };
  return version;
}
