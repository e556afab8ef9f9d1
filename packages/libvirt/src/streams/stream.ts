import type { Duplex } from 'node:stream';
import { decodeRemoteError } from '../connection/remote-error.ts';
import { LibvirtError, protocolError } from '../error.ts';
import { encodePacket, MessageStatus, MessageType, type Packet, streamDataBytes } from '../frame/index.ts';
import { type WaitOptions, waitWithin } from '../guard.ts';
import type { Procedure } from '../procedures/index.ts';
import { toDuplex } from './duplex.ts';
import type { StreamHost } from './host.ts';
import { decodeHole, IncomingParts, type StreamPart } from './incoming.ts';

/**
 * Bulk data that belongs to a call: a volume going up or down, a console, a screenshot.
 *
 * Iterate it (or `parts()`, or `duplex`) to read, `write` to send; then `finish()` and await it, since only that
 * tells that the daemon has everything. Disposing aborts a stream that was not finished. Leaving a loop early does
 * neither. One reader and any number of writers, whose data is sent in the order of their calls.
 */
export interface LibvirtStream<Reply = Readonly<Record<string, unknown>>>
  extends AsyncIterable<Uint8Array>,
    AsyncDisposable {
  /** What the call itself returned, such as the `mime` of a screenshot. */
  readonly reply: Reply;
  /** Resolves when the stream is over in any way: undefined after `finish` or `abort`, else its error. */
  readonly settled: Promise<LibvirtError | undefined>;
  /** Data and holes as they come. Iterating the stream itself gives holes as zeros. */
  parts(): AsyncIterable<StreamPart>;
  /**
   * Sends data; resolves when more may be sent. The data is copied at once.
   * @throws LibvirtError the error of the stream, TypeError on a stream that only reads.
   */
  write(data: Uint8Array, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * Sends a hole of zeros; only where the call asked for sparse streams.
   * @throws TypeError when it did not: the daemon would close the connection.
   */
  writeHole(lengthBytes: bigint): Promise<void>;
  /**
   * Ends the stream well and waits for the confirmation; data that was not read is thrown away.
   * @throws LibvirtError the error of the stream, or `LIBVIRT_ABORTED` after `abort`.
   */
  finish(options?: WaitOptions): Promise<void>;
  /** Gives the stream up and waits until the daemon has confirmed it; a stream that is over already is no error. */
  abort(options?: WaitOptions): Promise<void>;
  /**
   * The stream as a node Duplex with backpressure both ways, made when first asked for; use it or the methods to read,
   * not both. Ending its writable side finishes, destroying it aborts; one that only reads finishes at the end of data.
   */
  readonly duplex: Duplex;
}

/** One stream on a connection: follows the rules of the wire, the host does the rest. */
export class ConnectionStream implements LibvirtStream {
  readonly reply: Readonly<Record<string, unknown>>;
  readonly settled: Promise<LibvirtError | undefined>;
  readonly #host: StreamHost;
  readonly #procedure: Procedure;
  readonly #serial: number;
  readonly #isSparse: boolean;
  readonly #incoming: IncomingParts;
  #state: 'open' | 'finishing' | 'aborting' | 'over' = 'open';
  #error: LibvirtError | undefined;
  #resolveSettled: (error: LibvirtError | undefined) => void = () => {};
  #duplex: Duplex | undefined;
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(
    host: StreamHost,
    call: { procedure: Procedure; serial: number; isSparse: boolean; reply: Readonly<Record<string, unknown>> },
  ) {
    this.#host = host;
    this.#procedure = call.procedure;
    this.#serial = call.serial;
    this.#isSparse = call.isSparse;
    this.reply = call.reply;
    this.#incoming = new IncomingParts((isHigh) => {
      if (isHigh) host.pause(this);
      else host.resume(this);
    });
    this.settled = new Promise((resolve) => {
      this.#resolveSettled = resolve;
    });
  }

  /** Whether a packet with this stream's serial also names its procedure. */
  isOf(packet: Packet): boolean {
    return packet.program === this.#procedure.program && packet.procedure === this.#procedure.number;
  }

  /**
   * Handles a packet of this stream.
   * @throws LibvirtError `LIBVIRT_PROTOCOL` when it breaks the rules.
   */
  onPacket(packet: Packet): void {
    if (packet.status === MessageStatus.ERROR) this.#onRemoteError(packet.payload);
    else if (packet.status === MessageStatus.OK) this.#end(undefined);
    else if (packet.type === MessageType.STREAM_HOLE) this.#onHole(packet.payload);
    else if (packet.payload.byteLength === 0) this.#incoming.finish({});
    else if (this.#state === 'open') this.#incoming.push({ type: 'data', data: packet.payload });
  }

  /** The connection is gone. */
  onConnectionEnd(error: LibvirtError): void {
    this.#end(error);
  }

  write(data: Uint8Array, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (this.#procedure.stream === 'read') {
      return Promise.reject(new TypeError(`${this.#procedure.name} only reads; there is nothing to write to`));
    }
    const copy = Uint8Array.from(data);
    return this.#enqueueWrite(async () => {
      for (let offset = 0; offset < copy.byteLength; offset += streamDataBytes) {
        options.signal?.throwIfAborted();
        this.#assertOpen();
        const piece = copy.subarray(offset, offset + streamDataBytes);
        this.#host.write(this.#packet(MessageType.STREAM, MessageStatus.CONTINUE, piece));
        await this.#drained(options.signal);
      }
    });
  }

  writeHole(lengthBytes: bigint): Promise<void> {
    if (!this.#isSparse || this.#procedure.stream === 'read') {
      return Promise.reject(
        new TypeError(`${this.#procedure.name} was not opened for writing with the sparse flag (1)`),
      );
    }
    if (typeof lengthBytes !== 'bigint' || lengthBytes < 0n || lengthBytes >= 2n ** 63n) {
      return Promise.reject(new RangeError(`length of a hole must be a bigint from 0 to 2^63 - 1, got ${lengthBytes}`));
    }
    return this.#enqueueWrite(async () => {
      this.#assertOpen();
      const payload = new Uint8Array(12);
      new DataView(payload.buffer).setBigInt64(0, lengthBytes);
      this.#host.write(this.#packet(MessageType.STREAM_HOLE, MessageStatus.CONTINUE, payload));
      await this.#drained(undefined);
    });
  }

  finish(options: WaitOptions = {}): Promise<void> {
    const done = this.#enqueueWrite(async () => {
      if (this.#state === 'open') {
        this.#state = 'finishing';
        this.#incoming.discard();
        this.#host.write(this.#packet(MessageType.STREAM, MessageStatus.OK));
      }
      if (this.#state === 'aborting') throw this.#abortedError();
      await this.settled;
      if (this.#error) throw this.#error;
    });
    return this.#within(options, 'finish', done);
  }

  abort(options: WaitOptions = {}): Promise<void> {
    if (this.#state === 'open' || this.#state === 'finishing') {
      this.#state = 'aborting';
      this.#incoming.discard();
      this.#incoming.finish({ error: this.#abortedError() });
      this.#host.write(this.#packet(MessageType.STREAM, MessageStatus.ERROR));
    }
    return this.#within(
      options,
      'abort',
      this.settled.then(() => undefined),
    );
  }

  async *parts(): AsyncGenerator<StreamPart, void, undefined> {
    for (let part = await this.#incoming.take(); part; part = await this.#incoming.take()) yield part;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const part of this.parts()) {
      if (part.type === 'data') yield part.data;
      else yield* zeros(part.lengthBytes);
    }
  }

  get duplex(): Duplex {
    const { stream } = this.#procedure;
    this.#duplex ??= toDuplex(this, { canWrite: stream !== 'read', canRead: stream !== 'write' });
    return this.#duplex;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whatever comes of it, the stream is given up; its connection reports real trouble itself.
    await this.abort().catch(() => {});
  }

  #onHole(payload: Uint8Array): void {
    if (!this.#isSparse)
      throw protocolError(`hole in a stream of ${this.#procedure.name}, which did not ask for holes`);
    const hole = decodeHole(payload);
    if (this.#state === 'open') this.#incoming.push(hole);
  }

  #onRemoteError(payload: Uint8Array): void {
    const error = decodeRemoteError(payload, this.#procedure.name);
    this.#end(this.#state === 'aborting' ? undefined : error);
  }

  #end(error: LibvirtError | undefined): void {
    if (this.#state === 'over') return;
    const wasAborting = this.#state === 'aborting';
    this.#state = 'over';
    this.#error = error ?? (wasAborting ? this.#abortedError() : undefined);
    this.#incoming.finish(error ? { error } : {});
    this.#host.resume(this);
    this.#host.release(this.#serial);
    this.#resolveSettled(wasAborting ? undefined : error);
  }

  #assertOpen(): void {
    if (this.#state === 'open') return;
    throw this.#error ?? (this.#state === 'aborting' ? this.#abortedError() : finishedError(this.#procedure.name));
  }

  async #drained(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#host.drained(signal);
    } catch (error) {
      // The stream may have failed first, and its connection been closed for that.
      throw signal?.aborted ? error : (this.#error ?? error);
    }
  }

  #enqueueWrite(work: () => Promise<void>): Promise<void> {
    const done = this.#lastWrite.then(work);
    this.#lastWrite = done.catch(() => {});
    return done;
  }

  #within(options: WaitOptions, verb: string, done: Promise<void>): Promise<void> {
    const timeoutMs = options.timeoutMs ?? this.#host.timeoutMs;
    const what = `${verb} of the stream of ${this.#procedure.name}`;
    return waitWithin(this.#host.clock, { signal: options.signal, timeoutMs, what }, done);
  }

  #packet(type: number, status: number, data?: Uint8Array): Uint8Array {
    const { program, number } = this.#procedure;
    return encodePacket({ program, procedure: number, type, serial: this.#serial, status }, data);
  }

  #abortedError(): LibvirtError {
    return new LibvirtError('LIBVIRT_ABORTED', `stream of ${this.#procedure.name} was aborted`);
  }
}

function finishedError(name: string): LibvirtError {
  return new LibvirtError('LIBVIRT_CLOSED', `stream of ${name} is finished`);
}

const zeroBlock = new Uint8Array(65_536);

function* zeros(lengthBytes: bigint): Generator<Uint8Array, void, undefined> {
  for (let left = lengthBytes; left > 0n; left -= BigInt(zeroBlock.byteLength)) {
    yield left < BigInt(zeroBlock.byteLength) ? zeroBlock.slice(0, Number(left)) : zeroBlock.slice();
  }
}
