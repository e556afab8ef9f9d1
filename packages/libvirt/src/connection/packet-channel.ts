import type { Duplex } from 'node:stream';
import { isLibvirtError, LibvirtError } from '../error.ts';
import { FrameParser, type Packet } from '../frame/index.ts';

/** Whom a {@link PacketChannel} tells what happens. */
export interface PacketHandlers {
  /** A packet arrived. What it throws ends the channel. */
  readonly onPacket: (packet: Packet) => void;
  /** The stream takes bytes again after `write` gave false. */
  readonly onDrain: () => void;
  /** The stream is gone; called once, never after `destroy`. */
  readonly onLost: (error: LibvirtError) => void;
}

/** Packets over a Duplex: the only place that touches the stream. */
export class PacketChannel {
  readonly #duplex: Duplex;
  readonly #handlers: PacketHandlers;
  readonly #parser = new FrameParser();
  readonly #pausers = new Set<object>();
  #isDone = false;
  #isBlocked = false;

  constructor(duplex: Duplex, handlers: PacketHandlers) {
    this.#duplex = duplex;
    this.#handlers = handlers;
    duplex.on('data', this.#onData);
    duplex.on('drain', this.#onDrain);
    duplex.on('end', this.#onEnd);
    duplex.on('close', this.#onEnd);
    duplex.on('error', this.#onError);
  }

  /** Whether the stream has asked for writing to wait. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Whether reading is held up by a consumer. */
  get isPaused(): boolean {
    return this.#pausers.size > 0;
  }

  /** Sends bytes; false means that more should wait until `onDrain`. */
  write(bytes: Uint8Array): boolean {
    if (this.#isDone) return true;
    if (!this.#duplex.write(bytes)) this.#isBlocked = true;
    return !this.#isBlocked;
  }

  /** Stops reading until the same consumer calls `resume`: what slows the daemon down. */
  pause(consumer: object): void {
    this.#pausers.add(consumer);
    this.#duplex.pause();
  }

  /** Takes a `pause` back. */
  resume(consumer: object): void {
    if (this.#pausers.delete(consumer) && this.#pausers.size === 0 && !this.#isDone) this.#duplex.resume();
  }

  /** Closes the stream at once; nothing is reported afterwards. */
  destroy(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const duplex = this.#duplex;
    duplex.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onEnd).off('close', this.#onEnd);
    // The error listener stays: a late error of a destroyed stream must not become an uncaught exception.
    duplex.destroy();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    try {
      this.#parser.push(chunk);
      for (let packet = this.#parser.next(); packet; packet = this.#parser.next()) {
        this.#handlers.onPacket(packet);
        if (this.#isDone) return;
      }
    } catch (cause) {
      this.#lose(
        isLibvirtError(cause)
          ? cause
          : new LibvirtError('LIBVIRT_PROTOCOL', `packet could not be handled: ${String(cause)}`, { cause }),
      );
    }
  };

  readonly #onDrain = (): void => {
    this.#isBlocked = false;
    this.#handlers.onDrain();
  };

  readonly #onEnd = (): void => {
    const where = this.#parser.isMidPacket ? ' in the middle of a packet' : '';
    this.#lose(new LibvirtError('LIBVIRT_CLOSED', `connection closed by the other side${where}`, { retryable: true }));
  };

  readonly #onError = (cause: Error): void => {
    this.#lose(
      isLibvirtError(cause)
        ? cause
        : new LibvirtError('LIBVIRT_CLOSED', `connection lost: ${cause.message}`, { cause, retryable: true }),
    );
  };

  #lose(error: LibvirtError): void {
    if (this.#isDone) return;
    this.destroy();
    this.#handlers.onLost(error);
  }
}
