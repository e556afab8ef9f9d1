import { isWarmvmError } from '@warmvm/core/driver';
import { requireText } from './check.ts';
import type { GuestFiles } from './guest-files.ts';

/** What a program without any environment would be lost without. */
const FALLBACK: ReadonlyMap<string, string> = new Map([
  ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
]);
const MAX_ENVIRONMENT_BYTES = 1_048_576;

/**
 * `guest-exec` replaces the whole environment when one is given. So to *add* to it, the agent's own is read once, from
 * `/proc/self/environ`; where that cannot be had, a usual PATH takes its place.
 */
export class GuestEnvironment {
  readonly #files: GuestFiles;
  #inherited: ReadonlyMap<string, string> | undefined;

  constructor(files: GuestFiles) {
    this.#files = files;
  }

  /** Undefined where nothing is added: then the program inherits by itself. */
  async with(added: Readonly<Record<string, string>>, signal: AbortSignal): Promise<readonly string[] | undefined> {
    const entries = Object.entries(added);
    if (entries.length === 0) return undefined;
    this.#inherited ??= await this.#read(signal);
    const merged = new Map([...this.#inherited, ...entries]);
    return [...merged].map(([name, value]) => `${name}=${value}`);
  }

  async #read(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    try {
      const bytes = await this.#files.read('/proc/self/environ', { signal, maxBytes: MAX_ENVIRONMENT_BYTES });
      return parseEnvironment(Buffer.from(bytes).toString('utf8'));
    } catch (error) {
      if (isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED') || isWarmvmError(error, 'WARMVM_NOT_SUPPORTED'))
        return FALLBACK;
      throw error;
    }
  }
}

/** @throws TypeError when a name or a value cannot be part of an environment */
export function requireEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(environment)) {
    requireText('an environment variable name', name);
    if (name === '' || name.includes('='))
      throw new TypeError('an environment variable name must not be empty or hold "="');
    requireText(`the environment variable ${name}`, value);
  }
}

function parseEnvironment(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const entry of text.split('\0')) {
    const split = entry.indexOf('=');
    if (split > 0) variables.set(entry.slice(0, split), entry.slice(split + 1));
  }
  return variables;
}
