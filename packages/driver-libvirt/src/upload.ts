import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { type CallOptions, type FileReference, WarmvmError } from '@warmvm/core/driver';
import type { LibvirtStream, StorageVolumeRef } from '@warmvm/libvirt';
import { isClosed, isInterruption } from './interruption.ts';
import { mapError } from './map-error.ts';
import type { Session } from './session.ts';

/** Told how far an upload is, 0 to 1; it begins anew after a break. */
export type UploadProgress = (fraction: number) => void;

/** What is sent, as often as it is asked for. */
type Content = () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Bytes of a local file read at once; what libvirt itself sends in one packet. */
const CHUNK_BYTES = 262_120;
/** An upload that breaks is begun anew that often. */
const MOST_ATTEMPTS = 3;
const NO_FLAGS = 0;

/** Fills volumes on the host. A connection that breaks meanwhile and comes back costs a new beginning: the volume is written over from its first byte. */
export class Uploader {
  readonly #session: Session;
  readonly #isVerifying: boolean;

  constructor(session: Session, isVerifying: boolean) {
    this.#session = session;
    this.#isVerifying = isVerifying;
  }

  /** Writes a few bytes at the beginning. */
  async bytes(vol: StorageVolumeRef, content: Uint8Array, options: CallOptions): Promise<void> {
    await this.#repeating(() =>
      this.#send(
        vol,
        () => [content],
        content.byteLength,
        () => {},
        options,
      ),
    );
  }

  /**
   * Writes a local file, and holds what arrived against its digest: what was read here on the way, and what the host reads back.
   * @throws WARMVM_GOLDEN_INVALID when the file is not what its digest says
   */
  async file(
    vol: StorageVolumeRef,
    file: FileReference,
    onProgress: UploadProgress,
    options: CallOptions,
  ): Promise<void> {
    await this.#repeating(async () => {
      const handle = await open(file.path, 'r');
      try {
        const content: Content = () =>
          handle.createReadStream({ start: 0, highWaterMark: CHUNK_BYTES, autoClose: false });
        const sent = await this.#send(vol, content, file.sizeBytes, onProgress, options);
        if (sent !== file.digest) throw changed(file, sent);
      } finally {
        await handle.close();
      }
      if (!this.#isVerifying) return;
      const stored = await this.#digestOf(vol, file.sizeBytes, options);
      if (stored !== file.digest) throw damaged(vol, file, stored);
    });
  }

  async #repeating(work: () => Promise<unknown>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await work();
        return;
      } catch (error) {
        if (!isInterruption(error) || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  async #send(
    vol: StorageVolumeRef,
    content: Content,
    sizeBytes: number,
    onProgress: UploadProgress,
    options: CallOptions,
  ): Promise<string> {
    const args = { vol, offset: 0n, length: BigInt(sizeBytes), flags: NO_FLAGS };
    const doing = `upload volume ${vol.name}`;
    return this.#streaming(
      doing,
      (client) => client.openStream('storageVolUpload', args, options),
      options,
      async (stream, hash) => {
        let sentBytes = 0;
        for await (const chunk of content()) {
          options.signal?.throwIfAborted();
          await stream.write(chunk);
          hash.update(chunk);
          sentBytes += chunk.byteLength;
          onProgress(sentBytes / sizeBytes);
        }
        await stream.finish();
      },
    );
  }

  async #digestOf(vol: StorageVolumeRef, sizeBytes: number, options: CallOptions): Promise<string> {
    const args = { vol, offset: 0n, length: BigInt(sizeBytes), flags: NO_FLAGS };
    const doing = `read volume ${vol.name} back`;
    return this.#streaming(
      doing,
      (client) => client.openStream('storageVolDownload', args, options),
      options,
      async (stream, hash) => {
        for await (const chunk of stream) {
          options.signal?.throwIfAborted();
          hash.update(chunk);
        }
        await stream.finish();
      },
    );
  }

  async #streaming(
    doing: string,
    start: Parameters<Session['stream']>[1],
    options: CallOptions,
    work: (stream: LibvirtStream, hash: Hash) => Promise<void>,
  ): Promise<string> {
    const stream = await this.#session.stream(doing, start, options);
    const hash = createHash('sha256');
    try {
      await work(stream, hash);
      return `sha256:${hash.digest('hex')}`;
    } catch (error) {
      await stream[Symbol.asyncDispose]();
      throw isClosed(error)
        ? await this.#session.afterBreak(error, doing, options.signal)
        : mapError(error, `could not ${doing}`);
    }
  }
}

function changed(file: FileReference, found: string): WarmvmError {
  return new WarmvmError('WARMVM_GOLDEN_INVALID', `${file.path} is not the file that the image describes`, {
    details: { path: file.path, expected: file.digest, found, remedy: 'describe or build the image anew' },
  });
}

function damaged(vol: StorageVolumeRef, file: FileReference, found: string): WarmvmError {
  return new WarmvmError('WARMVM_HOST_OPERATION', `volume ${vol.name} is not what was uploaded to it`, {
    retryable: true,
    details: { volume: vol.name, expected: file.digest, found, remedy: "look at the host's disk" },
  });
}
