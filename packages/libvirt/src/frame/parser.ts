import { protocolError } from '../error.ts';
import {
  MessageStatus,
  MessageType,
  maxPacketBytes,
  type Packet,
  prefixBytes,
  programVersion,
  streamDataBytes,
} from './header.ts';

// A stream packet as libvirt cuts them then needs a single allocation.
const firstAllocationBytes = streamDataBytes + prefixBytes;
const empty = new Uint8Array(0);

/**
 * Cuts bytes into packets, without any I/O: `push` what arrives, then call `next` until it gives undefined.
 * Takes linear time however small the chunks are, and never allocates more than twice what really arrived.
 */
export class FrameParser {
  #chunk: Uint8Array = empty;
  /** The packet under way when it does not lie in one chunk; grows with what arrives, up to the announced length. */
  #partial: Uint8Array = empty;
  #partialLength = 0;
  #failure: Error | undefined;

  /** Whether bytes of an unfinished packet are held. */
  get isMidPacket(): boolean {
    return this.#partialLength > 0 || this.#chunk.byteLength > 0;
  }

  /** Hands over the next bytes. All packets of earlier bytes must have been taken with `next`. */
  push(chunk: Uint8Array): void {
    if (this.#chunk.byteLength > 0) throw new Error('take all packets with next() before pushing more bytes');
    this.#chunk = chunk;
  }

  /**
   * The next whole packet, or undefined when more bytes are needed.
   * @throws LibvirtError `LIBVIRT_PROTOCOL` on bytes that are no packet; the parser is of no use afterwards.
   */
  next(): Packet | undefined {
    if (this.#failure) throw this.#failure;
    if (this.#chunk.byteLength === 0) return undefined;
    try {
      const whole = this.#partialLength === 0 ? this.#takeWhole() : undefined;
      const bytes = whole ?? this.#takePartial();
      return bytes && toPacket(bytes);
    } catch (error) {
      this.#failure = error as Error;
      this.#chunk = this.#partial = empty;
      throw error;
    }
  }

  #takeWhole(): Uint8Array | undefined {
    if (this.#chunk.byteLength < 4) return undefined;
    const length = checkedLength(this.#chunk);
    if (this.#chunk.byteLength < length) return undefined;
    // One packet to a chunk is what most replies come as: no view is needed then.
    const isAll = this.#chunk.byteLength === length;
    const bytes = isAll ? this.#chunk : this.#chunk.subarray(0, length);
    this.#chunk = isAll ? empty : this.#chunk.subarray(length);
    return bytes;
  }

  #takePartial(): Uint8Array | undefined {
    if (!this.#collect(4)) return undefined;
    const length = checkedLength(this.#partial);
    if (!this.#collect(length)) return undefined;
    const bytes = this.#partial.subarray(0, length);
    this.#partial = empty;
    this.#partialLength = 0;
    return bytes;
  }

  /** Moves bytes of the chunk into the partial packet until that has `length` bytes. */
  #collect(length: number): boolean {
    const wanted = Math.max(0, length - this.#partialLength);
    const moved = this.#chunk.subarray(0, wanted);
    const end = this.#partialLength + moved.byteLength;
    if (end > this.#partial.byteLength) {
      const capacity = Math.max(end, Math.min(length, Math.max(firstAllocationBytes, this.#partial.byteLength * 2)));
      const larger = new Uint8Array(capacity);
      larger.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = larger;
    }
    this.#partial.set(moved, this.#partialLength);
    this.#partialLength = end;
    this.#chunk = this.#chunk.byteLength === moved.byteLength ? empty : this.#chunk.subarray(moved.byteLength);
    return end >= length;
  }
}

/** A view made for a few words costs more than reading them. */
function i32At(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] ?? 0) << 24) |
    ((bytes[offset + 1] ?? 0) << 16) |
    ((bytes[offset + 2] ?? 0) << 8) |
    (bytes[offset + 3] ?? 0)
  );
}

function checkedLength(bytes: Uint8Array): number {
  const length = i32At(bytes, 0) >>> 0;
  if (length < prefixBytes || length > maxPacketBytes) {
    throw protocolError(
      `packet of ${length} bytes announced, ${prefixBytes} to ${maxPacketBytes} expected; the other side does not speak the libvirt protocol`,
    );
  }
  return length;
}

function toPacket(bytes: Uint8Array): Packet {
  const version = i32At(bytes, 8) >>> 0;
  const type = i32At(bytes, 16);
  const status = i32At(bytes, 24);
  if (version !== programVersion)
    throw protocolError(`program version ${version} in a packet, ${programVersion} expected`);
  if (type === MessageType.CALL_FDS || type === MessageType.REPLY_FDS) {
    throw protocolError('packet with file descriptors, which were never asked for');
  }
  if (type < MessageType.REPLY || type > MessageType.STREAM_HOLE) {
    throw protocolError(`packet of type ${type}, which a daemon does not send`);
  }
  if (status < MessageStatus.OK || status > MessageStatus.CONTINUE) {
    throw protocolError(`packet with status ${status}, 0 to 2 expected`);
  }
  return {
    program: i32At(bytes, 4) >>> 0,
    procedure: i32At(bytes, 12),
    type,
    serial: i32At(bytes, 20) >>> 0,
    status,
    payload: bytes.subarray(prefixBytes),
  };
}
