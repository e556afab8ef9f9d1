import { MOST_FRAME_BYTES } from './limits.ts';

/** What a frame carries, by the number on the wire: a message as JSON, or bytes of a call. */
export const FRAME_KINDS = { message: 1, data: 2, errorData: 3 } as const;

/** Name of a kind of frame. `data` is standard input, standard output, or content of a file; `errorData` is standard error. */
export type FrameKind = keyof typeof FRAME_KINDS;

/** One frame as it came. Its bytes may be kept. */
export type Frame =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'data'; readonly call: number; readonly bytes: Uint8Array }
  | { readonly kind: 'errorData'; readonly call: number; readonly bytes: Uint8Array };

/** The other side broke the protocol; the connection is of no use any more. */
export class ProtocolViolation extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProtocolViolation';
  }
}

/** Length of the payload, and its kind. */
const HEAD_BYTES = 5;
/** Number of the call that data belongs to. */
const CALL_BYTES = 4;

/** A message as a frame. @throws RangeError when it is longer than a frame may be */
export function messageFrame(message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message), 'utf8');
  if (text.length > MOST_FRAME_BYTES) {
    throw new RangeError(`a message of ${text.length} bytes is longer than the ${MOST_FRAME_BYTES} that may be sent`);
  }
  return Buffer.concat([head(text.length, 'message'), text]);
}

/** Bytes of a call as a frame; they must fit into one. */
export function dataFrame(call: number, bytes: Uint8Array, kind: 'data' | 'errorData' = 'data'): Buffer {
  const number = Buffer.alloc(CALL_BYTES);
  number.writeUInt32BE(call);
  return Buffer.concat([head(CALL_BYTES + bytes.byteLength, kind), number, bytes]);
}

function head(length: number, kind: FrameKind): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.writeUInt32BE(length);
  bytes.writeUInt8(FRAME_KINDS[kind], 4);
  return bytes;
}

/** Cuts what arrives into frames. Holds one frame at most. */
export class FrameReader {
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes that must be there before it is of use to look again. */
  #needed = HEAD_BYTES;

  /** The frames that are complete now. @throws ProtocolViolation */
  *push(chunk: Uint8Array): Generator<Frame, void, undefined> {
    this.#held.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#heldBytes += chunk.byteLength;
    while (this.#heldBytes >= this.#needed) {
      const all = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
      const length = all.readUInt32BE(0);
      if (length > MOST_FRAME_BYTES + CALL_BYTES) {
        throw new ProtocolViolation(
          `a frame of ${length} bytes is longer than the ${MOST_FRAME_BYTES} that may be sent`,
        );
      }
      const end = HEAD_BYTES + length;
      if (all.length < end) {
        this.#needed = end;
        this.#keep(all);
        return;
      }
      this.#needed = HEAD_BYTES;
      this.#keep(all.subarray(end));
      yield frameOf(all.readUInt8(4), all.subarray(HEAD_BYTES, end));
    }
  }

  /** Whether the stream may end here. */
  get isBetweenFrames(): boolean {
    return this.#heldBytes === 0;
  }

  #keep(rest: Buffer): void {
    this.#held = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
  }
}

function frameOf(kind: number, payload: Buffer): Frame {
  if (kind === FRAME_KINDS.message) return { kind: 'message', text: payload.toString('utf8') };
  const isData = kind === FRAME_KINDS.data;
  if (!isData && kind !== FRAME_KINDS.errorData) throw new ProtocolViolation(`there is no frame of kind ${kind}`);
  if (payload.length < CALL_BYTES) throw new ProtocolViolation('a frame of data without the number of its call');
  return {
    kind: isData ? 'data' : 'errorData',
    call: payload.readUInt32BE(0),
    bytes: payload.subarray(CALL_BYTES),
  };
}

/** The object in a message. @throws ProtocolViolation for what is no JSON object */
export function parseMessage(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolViolation('a message that is no JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolViolation('a message that is no object');
  }
  return value as Readonly<Record<string, unknown>>;
}
