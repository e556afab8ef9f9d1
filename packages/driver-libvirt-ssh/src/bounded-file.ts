import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/** A file's content, and what it is. */
export interface BoundedFile {
  readonly content: Buffer;
  readonly stats: Stats;
}

/**
 * Reads a file of the user. Neither a pipe that nobody writes to nor a device without an end can keep the caller.
 * @throws RangeError for more than `mostBytes` bytes; the system's error
 */
export async function readBounded(path: string, mostBytes: number): Promise<BoundedFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(65_536), 0, 65_536, null);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > mostBytes) throw new RangeError(`${path} is larger than ${mostBytes} bytes`);
      chunks.push(buffer.subarray(0, bytesRead));
    }
    return { content: Buffer.concat(chunks, length), stats };
  } finally {
    await handle.close();
  }
}
