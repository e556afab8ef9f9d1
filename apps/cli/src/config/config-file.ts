import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { createJiti } from 'jiti';
import { messageOf } from '../errors/explain.ts';
import type { WarmvmConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { describeIssues } from './describe-issues.ts';
import { ConfigSchema } from './schema.ts';

/** A configuration that was read, and the file that relative paths in it start from. */
export interface ConfigFile {
  readonly path: string;
  readonly config: WarmvmConfig;
}

/**
 * Reads a configuration file: JSON, or a module with the configuration as its default export.
 * @throws ConfigError that names the file and every mistake in it
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const value = extname(path) === '.json' ? await readJson(path) : await importDefault(path);
  const parsed = ConfigSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new ConfigError(`${path} is not a configuration:\n${describeIssues(parsed.error)}`);
  return { path, config: parsed.data };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
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
