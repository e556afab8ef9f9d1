import type { Clock } from '../clock.ts';
import { LibvirtError } from '../error.ts';
import { encodePacket, MessageStatus, MessageType, Program } from '../frame/index.ts';

/** How a silent connection is found out. */
export interface KeepaliveOptions {
  /** Silence before a ping. @default 5000 */
  readonly intervalMs: number;
  /** Pings without any packet in return before the connection counts as dead. @default 5 */
  readonly count: number;
}

const procedure = { PING: 1, PONG: 2 } as const;

const message = { program: Program.KEEPALIVE, type: MessageType.MESSAGE, serial: 0, status: MessageStatus.OK };

/** Calls in flight from which on the daemon does not read the socket, so that a missing pong proves nothing. */
const daemonCallLimit = 5;

/** What {@link Keepalive} needs of its connection. */
export interface KeepaliveHost {
  readonly clock: Clock;
  readonly write: (bytes: Uint8Array) => void;
  readonly inFlight: () => number;
  /** Whether this side does not read at the moment: then an answer could not be seen. */
  readonly isReadingHeldUp: () => boolean;
  /** Whether the other side does not take bytes at the moment: then a ping would only wait behind them. */
  readonly isWritingHeldUp: () => boolean;
  readonly onDead: (error: LibvirtError) => void;
}

/** Pings from this side: needs no consent of the daemon, unlike pings from its side. */
export class Keepalive {
  readonly #options: KeepaliveOptions;
  readonly #host: KeepaliveHost;
  #timer: { cancel(): void } | undefined;
  #heardAt: number;
  #unanswered = 0;

  constructor(options: KeepaliveOptions, host: KeepaliveHost) {
    this.#options = options;
    this.#host = host;
    this.#heardAt = host.clock.now();
    this.#arm(options.intervalMs);
  }

  /** Any packet proves that the other side lives, and so do bytes that it takes after it did not. */
  onSignOfLife(): void {
    this.#heardAt = this.#host.clock.now();
    this.#unanswered = 0;
  }

  /** Stops for good. */
  stop(): void {
    this.#timer?.cancel();
  }

  #arm(delayMs: number): void {
    this.#timer = this.#host.clock.setTimer(() => this.#onTimer(), delayMs, { hold: false });
  }

  #onTimer(): void {
    const { intervalMs, count } = this.#options;
    const silentMs = this.#host.clock.now() - this.#heardAt;
    if (silentMs < intervalMs) {
      this.#arm(intervalMs - silentMs);
      return;
    }
    if (this.#host.inFlight() >= daemonCallLimit || this.#host.isReadingHeldUp()) {
      this.#unanswered = 0;
    } else if (this.#unanswered >= count) {
      this.#host.onDead(
        new LibvirtError('LIBVIRT_CLOSED', `no sign of life from the other side after ${count} keepalive pings`, {
          retryable: true,
        }),
      );
      return;
    } else {
      this.#unanswered += 1;
      if (!this.#host.isWritingHeldUp()) this.#host.write(encodePacket({ ...message, procedure: procedure.PING }));
    }
    this.#arm(intervalMs);
  }
}

/** The answer to a ping, or undefined when the packet is not one. */
export function pongFor(packet: { readonly procedure: number }): Uint8Array | undefined {
  return packet.procedure === procedure.PING ? encodePacket({ ...message, procedure: procedure.PONG }) : undefined;
}
