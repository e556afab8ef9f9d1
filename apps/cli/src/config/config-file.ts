import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { createJiti } from 'jiti';
import { messageOf } from '../errors/explain.ts';
import type { WarmvmConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { describeIssues } from './describe-issues.ts';
import { requireTrusted } from './find-config-file.ts';
import { ConfigSchema } from './schema.ts';

/** A configuration that was read, and the file that relative paths in it start from. */
export interface ConfigFile {
  readonly path: string;
  readonly config: WarmvmConfig;
}

/**
 * Reads a configuration file: JSON, or a module with the configuration as its default export.
 * @param folder where a relative path starts from
 * @throws ConfigError that names the file and every mistake in it, or says who else could have written it
 */
export async function readConfigFile(given: string, folder: string): Promise<ConfigFile> {
  const path = resolve(folder, given);
  requireTrusted(path);
  const value = extname(path) === '.json' ? await readJson(path) : await importDefault(path);
  const parsed = ConfigSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new ConfigError(`${path} is not a configuration:\n${describeIssues(parsed.error)}`);
  return { path, config: parsed.data };
}

async function readJson(path: string): Promise<unknown> {
  try {
    const bytes = await readFile(path);
    // Editors of other systems begin a file with a byte order mark, and some write UTF-16: the decoder takes the mark away.
    const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
    return JSON.parse(new TextDecoder(encoding, { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ConfigError(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function importDefault(path: string): Promise<unknown> {
  let module: unknown;
  try {
    // Node alone reads no TypeScript before 22.18, and none in a package that says otherwise.
    module = await createJiti(path, { fsCache: false, interopDefault: false }).import(path);
  } catch (cause) {
    throw new ConfigError(`${path} cannot be loaded: ${messageOf(cause)}`, { cause });
  }
  const found = (module as { default?: unknown } | undefined)?.default;
  if (found === undefined) {
    throw new ConfigError(`${path} has no default export; end it with: export default defineConfig({ … })`);
  }
  return found;
}
