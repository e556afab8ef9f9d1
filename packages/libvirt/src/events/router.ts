import { protocolError } from '../error.ts';
import type { Packet } from '../frame/index.ts';
import type { Codec } from '../xdr/index.ts';
import { XdrReader } from '../xdr/index.ts';
import type { EventQueue } from './subscription.ts';
import { subscriptionCapacity } from './subscription.ts';

/** Bytes of events that may wait for the reply to their registration. */
const maxEarlyBytes = 4_194_304;

/** Program and message number of a kind of event. */
export interface EventChannel {
  readonly program: number;
  readonly message: number;
}

interface EarlyEvents {
  /** Registrations under way. */
  expected: number;
  packets: { readonly callbackId: number; readonly payload: Uint8Array }[];
  bytes: number;
  isOverflown: boolean;
}

/** Where the events of one registration go. */
export interface Sink {
  readonly queues: Set<EventQueue<unknown>>;
  readonly codec: Codec<unknown>;
}

/**
 * Brings events to the subscribers of their registrations. Callback ids are counted per kind of object, so the key is program, message
 * number and callback id. Events of an unknown id are dropped, except while a registration of their kind is under
 * way: then they are kept, for the event may overtake the reply.
 */
export class EventRouter {
  readonly #sinks = new Map<string, Sink>();
  readonly #early = new Map<string, EarlyEvents>();

  /** Announces a registration, so that early events are kept. Each is followed by one `settle`. */
  expect(channel: EventChannel): void {
    const key = channelKey(channel);
    const early = this.#early.get(key) ?? { expected: 0, packets: [], bytes: 0, isOverflown: false };
    early.expected += 1;
    this.#early.set(key, early);
  }

  /** The registration is answered or over. */
  settle(channel: EventChannel): void {
    const key = channelKey(channel);
    const early = this.#early.get(key);
    if (!early) return;
    early.expected -= 1;
    if (early.expected === 0) this.#early.delete(key);
  }

  /**
   * Asserts that a daemon gave out a callback id that is free.
   * @throws LibvirtError `LIBVIRT_PROTOCOL` when a registration has it: one of the two would never hear of anything.
   */
  assertFree(channel: EventChannel, callbackId: number): void {
    if (!this.#sinks.has(sinkKey(channel, callbackId))) return;
    throw protocolError(`callback id ${callbackId} of message ${channel.message} was given out twice`);
  }

  /** Connects a registration and hands over what came early. */
  attach(channel: EventChannel, callbackId: number, sink: Sink): void {
    this.#sinks.set(sinkKey(channel, callbackId), sink);
    const early = this.#early.get(channelKey(channel));
    if (!early) return;
    const mine = early.packets.filter((packet) => packet.callbackId === callbackId);
    early.packets = early.packets.filter((packet) => packet.callbackId !== callbackId);
    for (const { payload } of mine) deliver(sink, payload);
    if (early.isOverflown) for (const queue of [...sink.queues]) queue.overflow();
  }

  /** Disconnects a registration. */
  detach(channel: EventChannel, callbackId: number): void {
    this.#sinks.delete(sinkKey(channel, callbackId));
  }

  /** Handles a message packet; one that nobody asked for, as a newer daemon may send, is dropped. */
  onMessage(packet: Packet): void {
    const channel = { program: packet.program, message: packet.procedure };
    const early = this.#early.get(channelKey(channel));
    if (packet.payload.byteLength < 4) return;
    const callbackId = new XdrReader(packet.payload).i32();
    const sink = this.#sinks.get(sinkKey(channel, callbackId));
    if (sink) deliver(sink, packet.payload);
    else if (early) keep(early, callbackId, packet.payload);
  }

  /** The connection is gone. */
  end(): EventQueue<unknown>[] {
    const queues = [...this.#sinks.values()].flatMap(({ queues: held }) => [...held]);
    this.#sinks.clear();
    this.#early.clear();
    return queues;
  }
}

function keep(early: EarlyEvents, callbackId: number, payload: Uint8Array): void {
  if (early.packets.length >= subscriptionCapacity || early.bytes + payload.byteLength > maxEarlyBytes) {
    early.isOverflown = true;
    return;
  }
  early.bytes += payload.byteLength;
  early.packets.push({ callbackId, payload });
}

function deliver({ queues, codec }: Sink, payload: Uint8Array): void {
  // Each subscriber gets a value of its own: what one does to it is nothing to the others.
  for (const queue of [...queues]) {
    const reader = new XdrReader(payload);
    try {
      reader.i32();
      const event = codec.decode(reader);
      reader.end();
      queue.push(event, payload.byteLength);
    } catch (error) {
      queue.fail(error);
    }
  }
}

function channelKey({ program, message }: EventChannel): string {
  return `${program}:${message}`;
}

function sinkKey(channel: EventChannel, callbackId: number): string {
  return `${channelKey(channel)}:${callbackId}`;
}
