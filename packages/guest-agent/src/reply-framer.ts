import { ByteBuffer } from './byte-buffer.ts';

const NEWLINE = 0x0a;
/** Never part of UTF-8; the agent puts it in front of the answer to `guest-sync-delimited`. */
const DELIMITER = 0xff;
/** An honest answer to `guest-sync-delimited` has some thirty bytes. */
const SYNC_LINE_BYTES = 256;

/** What a chunk of bytes led to. `surplus`: bytes that nobody asked for came along. */
export type FramerEvent =
  | { readonly kind: 'more' }
  | { readonly kind: 'synced'; readonly surplus: boolean }
  | { readonly kind: 'reply'; readonly text: string; readonly surplus: boolean }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'unasked' };

const MORE: FramerEvent = { kind: 'more' };

/** Cuts the agent's byte stream into the one answer that is being waited for. Pure; knows no time and no stream. */
export class ReplyFramer {
  readonly #line: ByteBuffer;
  readonly #syncLine: ByteBuffer = new ByteBuffer(SYNC_LINE_BYTES);
  #waiting: 'nothing' | 'sync' | 'reply' = 'nothing';
  #syncId = 0;
  #delimited = false;
  #bytesSinceReply = 0;

  constructor(maxReplyBytes: number) {
    this.#line = new ByteBuffer(maxReplyBytes);
  }

  /** How much has come since the last answer that somebody waited for. */
  get bytesSinceReply(): number {
    return this.#bytesSinceReply;
  }

  /** Bytes that are set aside for a line. */
  get reservedBytes(): number {
    return this.#line.reservedBytes + this.#syncLine.reservedBytes;
  }

  expectNothing(): void {
    this.#waiting = 'nothing';
    this.#line.clear();
    this.#syncLine.clear();
  }

  expectSync(id: number): void {
    this.expectNothing();
    this.#waiting = 'sync';
    this.#syncId = id;
    this.#delimited = false;
  }

  expectReply(): void {
    this.expectNothing();
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
    let rest = chunk;
    for (;;) {
      const end = rest.indexOf(NEWLINE);
      if (!this.#line.append(end < 0 ? rest : rest.subarray(0, end))) {
        this.expectNothing();
        return { kind: 'too-long' };
      }
      if (end < 0) return MORE;
      rest = rest.subarray(end + 1);
      const text = this.#line.take();
      if (text.trim() === '') continue;
      this.expectNothing();
      this.#bytesSinceReply = 0;
      return { kind: 'reply', text, surplus: !isBlank(rest) };
    }
  }

  #seekSync(chunk: Uint8Array): FramerEvent {
    let rest = chunk;
    for (;;) {
      if (!this.#delimited) {
        const at = rest.indexOf(DELIMITER);
        if (at < 0) return MORE;
        this.#delimited = true;
        rest = rest.subarray(at + 1);
      }
      const end = rest.indexOf(NEWLINE);
      const part = end < 0 ? rest : rest.subarray(0, end);
      const restart = part.lastIndexOf(DELIMITER);
      if (restart >= 0) {
        this.#syncLine.clear();
        rest = rest.subarray(restart + 1);
        continue;
      }
      const fits = this.#syncLine.append(part);
      if (end < 0 && fits) return MORE;
      const text = this.#syncLine.take();
      this.#delimited = false;
      if (end < 0) return MORE;
      rest = rest.subarray(end + 1);
      if (fits && isSyncAnswer(text, this.#syncId)) {
        this.expectNothing();
        return { kind: 'synced', surplus: !isBlank(rest) };
      }
    }
  }
}

function isSyncAnswer(text: string, id: number): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && (value as { return?: unknown }).return === id;
  } catch {
    return false;
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === NEWLINE);
}
