import { fstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ExecOptions } from '@warmvm/core';
import { ConfigError } from '../config/config-error.ts';

/** A file that is longer goes as a stream, which is slower. */
const LARGEST_WHOLE_BYTES = 67_108_864;

/** Where input comes from; replaced in tests. */
export interface InputSource {
  readonly fd: number;
  readonly isTTY?: boolean;
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array | string>;
}

/**
 * What the program in the guest is to read: a file at once, a pipe as it comes, nothing from a terminal unless it was asked for.
 */
export async function inputForGuest(source: InputSource, interactive: boolean): Promise<ExecOptions['stdin']> {
  if (source.isTTY === true) return interactive ? source : undefined;
  const kind = kindOf(source.fd);
  if (kind === 'none') return undefined;
  if (kind === 'stream') return source;
  try {
    return await readFile(`/dev/fd/${source.fd}`);
  } catch (cause) {
    throw new ConfigError('standard input cannot be read', { cause });
  }
}

function kindOf(fd: number): 'none' | 'file' | 'stream' {
  try {
    const stat = fstatSync(fd);
    if (stat.isFile()) return stat.size <= LARGEST_WHOLE_BYTES ? 'file' : 'stream';
    return stat.isCharacterDevice() ? 'none' : 'stream';
  } catch {
    // Closed.
    return 'none';
  }
}
