import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { CallOptions, FileReference } from '@warmvm/core/driver';
import { invalidGolden } from '../invalid.ts';

/** How many digests are remembered; the oldest is forgotten first. */
const MAXIMUM_REMEMBERED = 256;
const CHUNK_BYTES = 1024 * 1024;
const remembered = new Map<string, string>();

/** How much of a file has been read. */
export interface DigestProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What {@link referToFile} is told besides the path. */
export interface ReferOptions extends CallOptions {
  /** Told after every MiB; not at all where the digest is remembered. @default none */
  readonly onProgress?: (progress: DigestProgress) => void;
}

/**
 * Describes a regular file by its content. A digest is remembered for as long as path, device, inode, size and times
 * stay the same, so that asking again costs no reading.
 * @param path absolute
 * @throws the signal's reason; WARMVM_GOLDEN_INVALID when the file is absent, unreadable, no regular file, or changes meanwhile
 */
export async function referToFile(path: string, options: ReferOptions = {}): Promise<FileReference> {
  const handle = await openRegular(path, options);
  try {
    const before = await identityOf(handle, path);
    let digest = remembered.get(before.key);
    if (digest === undefined) {
      digest = await digestOf(handle, before.sizeBytes, options);
      const after = await identityOf(handle, path);
      if (after.key !== before.key)
        throw invalidGolden(`${path} changed while it was read; stop what writes to it.`, { path });
      remember(before.key, digest);
    }
    return { path, digest, sizeBytes: before.sizeBytes };
  } finally {
    await handle.close();
  }
}

/** @throws the signal's reason; WARMVM_GOLDEN_INVALID when the file cannot be opened or is no regular one */
export async function openRegular(path: string, options: CallOptions = {}): Promise<FileHandle> {
  options.signal?.throwIfAborted();
  let handle: FileHandle;
  try {
    // Non-blocking: a named pipe of this name must not hold the call up.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw invalidGolden(
      `${path} cannot be read; check that it exists and that this user may read it.`,
      { path },
      cause,
    );
  }
  if (!(await handle.stat()).isFile()) {
    await handle.close();
    throw invalidGolden(`${path} is not a regular file.`, { path });
  }
  return handle;
}

async function identityOf(handle: FileHandle, path: string): Promise<{ key: string; sizeBytes: number }> {
  const stat = await handle.stat({ bigint: true });
  const key = [path, stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join('\0');
  return { key, sizeBytes: Number(stat.size) };
}

async function digestOf(handle: FileHandle, totalBytes: number, { signal, onProgress }: ReferOptions): Promise<string> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return `sha256:${hash.digest('hex')}`;
    hash.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
    onProgress?.({ doneBytes: position, totalBytes });
  }
}

function remember(key: string, digest: string): void {
  const oldest = remembered.keys().next();
  if (remembered.size >= MAXIMUM_REMEMBERED && !oldest.done) remembered.delete(oldest.value);
  remembered.set(key, digest);
}
