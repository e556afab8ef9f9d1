import type { Clock } from '../clock.ts';
import type { PacketChannel } from '../connection/packet-channel.ts';
import type { Serials } from '../connection/serials.ts';
import { LibvirtError } from '../error.ts';
import { maxPacketBytes } from '../frame/header.ts';
import type { Packet } from '../frame/index.ts';
import type { StreamHost } from './host.ts';
import { ConnectionStream } from './stream.ts';

/** What the streams of a connection need of it. */
export interface StreamsOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly serials: Serials;
  readonly channel: Pick<PacketChannel, 'isBlocked' | 'write' | 'pause' | 'resume'>;
}

interface DrainWaiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Bytes that may arrive for streams whose opening is not answered yet: what the largest packet takes. */
export const maxEarlyBytes: number = maxPacketBytes;

/** Bytes that every early packet counts for in addition to its payload, so that empty ones are bounded too. */
const packetCostBytes = 256;

/** The open streams of one connection. */
export class Streams {
  readonly #early = new Map<number, Packet[]>();
  #earlyBytes = 0;
  readonly #open = new Map<number, ConnectionStream>();
  readonly #waiters = new Set<DrainWaiter>();
  readonly #channel: StreamsOptions['channel'];
  readonly #host: StreamHost;
  #failure: LibvirtError | undefined;

  constructor({ clock, timeoutMs, serials, channel }: StreamsOptions) {
    this.#channel = channel;
    this.#host = {
      clock,
      timeoutMs,
      write: (bytes) => {
        channel.write(bytes);
      },
      drained: (signal) => this.#drained(signal),
      pause: (consumer) => channel.pause(consumer),
      resume: (consumer) => channel.resume(consumer),
      release: (serial) => {
        this.#open.delete(serial);
        serials.release(serial);
      },
    };
  }

  /** A reply opened a stream; hands over what came early. */
  open(call: ConstructorParameters<typeof ConnectionStream>[1]): ConnectionStream {
    const stream = new ConnectionStream(this.#host, call);
    this.#open.set(call.serial, stream);
    const early = this.#early.get(call.serial) ?? [];
    this.forgetEarly(call.serial);
    for (const packet of early) this.onPacket(packet);
    return stream;
  }

  /**
   * Keeps a packet of a stream whose opening is not answered yet: the daemon sends replies and stream data from two
   * threads, so that data, and even the end of it, may overtake the reply.
   * @throws LibvirtError `LIBVIRT_OVERFLOW` when more arrives than is sensible.
   */
  keepEarly(packet: Packet): void {
    this.#earlyBytes += packetCostBytes + packet.payload.byteLength;
    if (this.#earlyBytes > maxEarlyBytes) {
      const message = `more than ${maxEarlyBytes} bytes of a stream arrived before the reply that opens it`;
      throw new LibvirtError('LIBVIRT_OVERFLOW', message, { retryable: true });
    }
    const packets = this.#early.get(packet.serial);
    if (packets) packets.push(packet);
    else this.#early.set(packet.serial, [packet]);
  }

  /** Drops what came early for a stream. */
  forgetEarly(serial: number): void {
    for (const { payload } of this.#early.get(serial) ?? []) this.#earlyBytes -= packetCostBytes + payload.byteLength;
    this.#early.delete(serial);
  }

  /**
   * Handles a stream packet; one of a stream that is over is dropped.
   * @throws LibvirtError `LIBVIRT_PROTOCOL` when it breaks the rules.
   */
  onPacket(packet: Packet): void {
    const stream = this.#open.get(packet.serial);
    if (stream?.isOf(packet)) stream.onPacket(packet);
  }

  /** The connection takes bytes again. */
  onDrain(): void {
    for (const waiter of [...this.#waiters]) waiter.resolve();
  }

  /** The connection is gone. */
  fail(error: LibvirtError): void {
    this.#failure = error;
    this.#early.clear();
    for (const stream of [...this.#open.values()]) stream.onConnectionEnd(error);
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  #drained(signal: AbortSignal | undefined): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (!this.#channel.isBlocked) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: DrainWaiter = {
        resolve: () => {
          stop();
          resolve();
        },
        reject: (error) => {
          stop();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.reject(signal?.reason);
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
