import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, rm } from 'node:fs/promises';
import type { DigestProgress } from '@warmvm/guest-image';

const CHUNK_BYTES = 4 * 2 ** 20;

/** What {@link copyInto} is told. */
export interface CopyOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: DigestProgress) => void;
}

/**
 * Copies a file to a new one: at once and sharing its blocks where the file system can, else byte by byte, with holes where
 * there are only zeros. When it fails there is no new file.
 * @throws the signal's reason; the file system's error
 */
export async function copyInto(from: string, to: string, options: CopyOptions): Promise<void> {
  try {
    if (await cloned(from, to)) return;
    const source = await open(from, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const target = await open(to, 'wx', 0o600);
      try {
        await copyBytes(source, target, options);
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}

async function cloned(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch {
    // Whatever is wrong with the files, the copy will say.
    await rm(to, { force: true });
    return false;
  }
}

async function copyBytes(source: FileHandle, target: FileHandle, { signal, onProgress }: CopyOptions): Promise<void> {
  const totalBytes = (await source.stat()).size;
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const zeros = Buffer.alloc(CHUNK_BYTES);
  // Sized ahead: what is not written stays a hole.
  await target.truncate(totalBytes);
  for (let position = 0; position < totalBytes; ) {
    signal.throwIfAborted();
    const { bytesRead } = await source.read(chunk, 0, Math.min(chunk.length, totalBytes - position), position);
    if (bytesRead === 0) throw new Error(`the file became shorter while it was copied`);
    const read = chunk.subarray(0, bytesRead);
    if (!read.equals(zeros.subarray(0, bytesRead))) await writeAll(target, read, position);
    position += bytesRead;
    onProgress?.({ doneBytes: position, totalBytes });
  }
  await target.datasync();
}

async function writeAll(target: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await target.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
