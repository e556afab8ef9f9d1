import { once } from 'node:events';
import type { Socket } from 'node:net';
import { dataFrame, messageFrame } from '../protocol/frame.ts';
import { MOST_PIECE_BYTES } from '../protocol/limits.ts';
import type { Reply } from '../protocol/messages.ts';

/** The sending side of a connection. Whoever sends data waits until there is room for more. */
export class Wire {
  readonly #socket: Socket;
  #room: Promise<unknown> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** What waits to be sent. */
  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Answers are short, and few at a time: they need not wait. */
  send(reply: Reply): void {
    if (!this.#socket.destroyed) this.#socket.write(messageFrame(reply));
  }

  /** Sends bytes in pieces. @throws the signal's reason, also when the connection is gone */
  async sendData(call: number, bytes: Uint8Array, kind: 'data' | 'errorData', signal: AbortSignal): Promise<void> {
    for (let at = 0; at < bytes.byteLength; at += MOST_PIECE_BYTES) {
      signal.throwIfAborted();
      const hasRoom = this.#socket.write(dataFrame(call, bytes.subarray(at, at + MOST_PIECE_BYTES), kind));
      if (!hasRoom) await this.room(signal);
    }
  }

  /** Resolves when what was sent has gone. @throws the signal's reason */
  async room(signal: AbortSignal): Promise<void> {
    if (!this.#socket.writableNeedDrain) return;
    this.#room ??= once(this.#socket, 'drain', { signal }).finally(() => {
      this.#room = undefined;
    });
    await this.#room.catch(() => signal.throwIfAborted());
  }
}
