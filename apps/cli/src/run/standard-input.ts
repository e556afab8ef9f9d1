import { fstatSync, read as readCallback } from 'node:fs';
import { promisify } from 'node:util';
import type { ExecOptions } from '@warmvm/core';
import { ConfigError } from '../config/config-error.ts';

const read = promisify(readCallback);

/** A file that is longer goes as a stream, which is slower. */
const LARGEST_WHOLE_BYTES = 67_108_864;
const PIECE_BYTES = 1_048_576;
/** Major 1, minor 3. */
const DEV_NULL = 0x103;

/** Where input comes from; replaced in tests. */
export interface InputSource {
  readonly fd: number;
  readonly isTTY?: boolean;
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array | string>;
  /** Called when nobody reads any more: input that never ends must not keep this process. */
  release?(): void;
}

/**
 * What the program in the guest is to read, from the present offset on: a file at once, anything else as it comes, nothing from a
 * terminal unless it was asked for.
 */
export async function inputForGuest(source: InputSource, interactive: boolean): Promise<ExecOptions['stdin']> {
  if (source.isTTY === true) return interactive ? source : undefined;
  const kind = kindOf(source.fd);
  if (kind === 'none') return undefined;
  if (kind === 'stream') return source;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of restOf(source.fd)) {
    pieces.push(piece);
    length += piece.byteLength;
    // It grows while it is read.
    if (length > LARGEST_WHOLE_BYTES) return joined(pieces, source.fd);
  }
  return Buffer.concat(pieces);
}

/** Reads on from where the descriptor is: others may have read before us. */
async function* restOf(fd: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await read(fd, Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, null).catch(
      (cause: unknown) => {
        throw new ConfigError('standard input cannot be read', { cause });
      },
    );
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* joined(pieces: readonly Uint8Array[], fd: number): AsyncGenerator<Uint8Array> {
  yield* pieces;
  yield* restOf(fd);
}

function kindOf(fd: number): 'none' | 'file' | 'stream' {
  let stat: ReturnType<typeof fstatSync>;
  try {
    stat = fstatSync(fd);
  } catch {
    // Closed.
    return 'none';
  }
  if (stat.isDirectory()) throw new ConfigError('standard input is a folder: give a file or a pipe, or "< /dev/null"');
  if (stat.isCharacterDevice() && stat.rdev === DEV_NULL) return 'none';
  return stat.isFile() && stat.size <= LARGEST_WHOLE_BYTES ? 'file' : 'stream';
}
