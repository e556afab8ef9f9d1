import { ByteBuffer } from './byte-buffer.ts';
import type { ReplyLimits } from './channel.ts';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Never part of UTF-8; the agent puts it in front of the answer to `guest-sync-delimited`. */
const DELIMITER = 0xff;
/** An honest answer to a sync has some thirty bytes, a refusal of the command some hundred. */
const SYNC_LINE_BYTES = 256;
const SHORTEST_SYNC_LINE_BYTES = '{"return":0}'.length;
const SYNC_ANSWER = /^\s*\{\s*"return"\s*:\s*(\d{1,10})\s*\}\s*$/;
const SYNC_REFUSAL = /"error".*\bguest-sync(-delimited)? has (not been found|been disabled)/i;

/** What a chunk of bytes led to. `surplus`: bytes that nobody asked for came along. */
export type FramerEvent =
  | { readonly kind: 'more' }
  | { readonly kind: 'synced'; readonly surplus: boolean }
  | { readonly kind: 'sync-refused' }
  | { readonly kind: 'reply'; readonly text: string; readonly surplus: boolean }
  | { readonly kind: 'too-long'; readonly limitBytes: number }
  | { readonly kind: 'unasked' };

const MORE: FramerEvent = { kind: 'more' };

/**
 * Cuts the agent's byte stream into the one answer that is being waited for. Pure; knows no time and no stream. The guest is
 * hostile: each byte costs a bounded, small amount of work, and only what the answer may hold is kept.
 */
export class ReplyFramer {
  readonly #maxReplyBytes: number;
  readonly #syncLine = Buffer.alloc(SYNC_LINE_BYTES);
  #line: ByteBuffer = new ByteBuffer(0);
  #limits: ReplyLimits;
  /** Bytes of the string that the last byte was in; -1 outside of strings. */
  #stringBytes = -1;
  #escaped = false;
  #waiting: 'nothing' | 'sync' | 'reply' = 'nothing';
  #syncId = 0;
  #syncBytes = 0;
  #bytesSinceReply = 0;

  constructor(maxReplyBytes: number) {
    this.#maxReplyBytes = maxReplyBytes;
    this.#limits = { maxBytes: maxReplyBytes };
  }

  /** How much has come since the last answer that somebody waited for. */
  get bytesSinceReply(): number {
    return this.#bytesSinceReply;
  }

  /** Bytes that are set aside for a line. */
  get reservedBytes(): number {
    return this.#line.reservedBytes + SYNC_LINE_BYTES;
  }

  /** From now on anything that comes is unasked for. */
  expectNothing(): void {
    this.#waiting = 'nothing';
    this.#line.clear();
  }

  /** Looks for the answer to a sync with this id; drops everything before it. */
  expectSync(id: number): void {
    this.#waiting = 'sync';
    this.#syncId = id;
    this.#syncBytes = 0;
  }

  /** The next line is the answer. */
  expectReply(limits: ReplyLimits = { maxBytes: this.#maxReplyBytes }): void {
    this.#limits = { ...limits, maxBytes: Math.min(limits.maxBytes, this.#maxReplyBytes) };
    this.#line = new ByteBuffer(this.#limits.maxBytes);
    this.#stringBytes = -1;
    this.#escaped = false;
    this.#waiting = 'reply';
  }

  /** Takes the next bytes. After any event but `more` the framer expects nothing until it is told. */
  push(chunk: Uint8Array): FramerEvent {
    this.#bytesSinceReply += chunk.length;
    if (this.#waiting === 'sync') return this.#seekSync(chunk);
    if (this.#waiting === 'reply') return this.#collectReply(chunk);
    return isBlank(chunk) ? MORE : { kind: 'unasked' };
  }

  #collectReply(chunk: Uint8Array): FramerEvent {
    const rest = this.#line.length === 0 ? withoutLeadingBlanks(chunk) : chunk;
    const end = rest.indexOf(NEWLINE);
    const fits = this.#keep(end < 0 ? rest : rest.subarray(0, end));
    if (fits && end < 0) return MORE;
    const text = this.#line.take();
    this.expectNothing();
    if (!fits) return { kind: 'too-long', limitBytes: this.#limits.maxBytes };
    this.#bytesSinceReply = 0;
    return { kind: 'reply', text, surplus: !isBlank(rest.subarray(end + 1)) };
  }

  /** False when it is too much. What a string has over its bound is dropped: the answer stays readable. */
  #keep(part: Uint8Array): boolean {
    const { maxStringBytes } = this.#limits;
    if (maxStringBytes === undefined) return this.#line.append(part);
    let from = this.#stringBytes > maxStringBytes ? part.length : 0;
    for (let at = 0; at < part.length; at += 1) {
      const byte = part[at];
      if (this.#stringBytes < 0) {
        if (byte === QUOTE) this.#stringBytes = 0;
      } else if (byte === QUOTE && !this.#escaped) {
        if (this.#stringBytes > maxStringBytes) from = at;
        this.#stringBytes = -1;
      } else {
        this.#escaped = byte === BACKSLASH && !this.#escaped;
        this.#stringBytes += 1;
        if (this.#stringBytes === maxStringBytes + 1) {
          if (!this.#line.append(part.subarray(from, at))) return false;
          from = part.length;
        }
      }
    }
    return this.#line.append(part.subarray(from));
  }

  #seekSync(chunk: Uint8Array): FramerEvent {
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]!;
      if (byte === DELIMITER) this.#syncBytes = 0;
      else if (byte !== NEWLINE) {
        if (this.#syncBytes < SYNC_LINE_BYTES) this.#syncLine[this.#syncBytes] = byte;
        this.#syncBytes += 1;
      } else {
        const length = this.#syncBytes;
        this.#syncBytes = 0;
        if (length < SHORTEST_SYNC_LINE_BYTES || length > SYNC_LINE_BYTES) continue;
        const text = this.#syncLine.toString('latin1', 0, length);
        // An answer that lacks the delimiter will do: nobody can know the id without having read all that was sent before it.
        if (Number(SYNC_ANSWER.exec(text)?.[1] ?? Number.NaN) === this.#syncId) {
          this.expectNothing();
          return { kind: 'synced', surplus: !isBlank(chunk.subarray(at + 1)) };
        }
        if (SYNC_REFUSAL.test(text)) {
          this.expectNothing();
          return { kind: 'sync-refused' };
        }
      }
    }
    return MORE;
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return withoutLeadingBlanks(bytes).length === 0;
}

function withoutLeadingBlanks(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0x20 && byte !== 0x0d && byte !== NEWLINE);
  return first < 0 ? bytes.subarray(bytes.length) : bytes.subarray(first);
}
