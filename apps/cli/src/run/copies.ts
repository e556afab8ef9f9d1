import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Guest } from '@warmvm/core';
import { ConfigError } from '../config/config-error.ts';

/** Longest file that is copied; it is held in memory on its way. */
const MOST_BYTES = 1_073_741_824;

/** A file to copy, between this computer and the guest. */
export interface Copy {
  readonly from: string;
  readonly to: string;
}

/**
 * Reads `from:to`; without `:to`, the name stays and the folder is `fallbackFolder`.
 * @throws ConfigError for anything else
 */
export function parseCopy(option: string, text: string, fallbackFolder: string): Copy {
  const [from = '', to, ...rest] = text.split(':');
  if (from === '' || to === '' || rest.length > 0) {
    throw new ConfigError(`${option} ${text}: expected FROM or FROM:TO`);
  }
  return { from, to: to ?? `${fallbackFolder}/${basename(from)}` };
}

/** @throws ConfigError that names the file; what the guest throws */
export async function copyIn(guest: Guest, { from, to }: Copy, signal: AbortSignal): Promise<void> {
  const path = resolve(from);
  let content: Uint8Array;
  let mode: number;
  try {
    const file = await stat(path);
    if (!file.isFile()) throw new Error('it is no file; pack folders with tar');
    if (file.size > MOST_BYTES)
      throw new Error(`it has ${file.size} bytes, more than the ${MOST_BYTES} that are copied`);
    mode = file.mode & 0o777;
    content = await readFile(path);
  } catch (cause) {
    throw new ConfigError(`--copy-in ${from} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  await guest.writeFile(to, content, { signal });
  // The agent makes files that nobody may run.
  if ((mode & 0o111) !== 0) await guest.exec(['chmod', mode.toString(8), to], { signal });
}

/** @throws ConfigError when it cannot be written here; what the guest throws */
export async function copyOut(guest: Guest, { from, to }: Copy, signal: AbortSignal): Promise<void> {
  const content = await guest.readFile(from, { signal, maxBytes: MOST_BYTES });
  try {
    await writeFile(resolve(to), content);
  } catch (cause) {
    throw new ConfigError(`--copy-out to ${to} cannot be written: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}
