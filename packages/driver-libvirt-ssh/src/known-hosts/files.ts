import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hashOf, type KnownHostEntry, parseKnownHosts, typeOfKey } from './entry.ts';

const LARGEST_FILE_BYTES: number = 2 ** 24;

/** The entries of all files, in their order. Files that are not there have none. @throws RangeError for a file of over 16 MiB */
export async function readKnownHosts(files: readonly string[]): Promise<readonly KnownHostEntry[]> {
  const entries: KnownHostEntry[] = [];
  for (const file of files) entries.push(...parseKnownHosts(await read(file), file));
  return entries;
}

async function read(file: string): Promise<string> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    if (size > LARGEST_FILE_BYTES)
      throw new RangeError(`${file} has ${size} bytes, expected at most ${LARGEST_FILE_BYTES}`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/**
 * Writes a key down: one write at the end of the file, so that others who add a line at the same time lose nothing. A file or
 * folder that is not there is made for this user alone.
 */
export async function appendKnownHost(file: string, name: string, key: Buffer, isHashed: boolean): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const host = isHashed ? hashOf(name, randomBytes(20)) : name;
  const line = `${host} ${typeOfKey(key)} ${key.toString('base64')}\n`;
  const flags = constants.O_CREAT | constants.O_APPEND | constants.O_RDWR;
  const handle = await open(file, flags, 0o600);
  try {
    const { size } = await handle.stat();
    const last = size === 0 ? undefined : (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0];
    // A file whose last line was never ended would take ours into that line.
    await handle.appendFile(last === undefined || last === 0x0a ? line : `\n${line}`);
  } finally {
    await handle.close();
  }
}
