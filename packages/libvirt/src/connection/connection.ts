import type { Duplex } from 'node:stream';
import { LibvirtError } from '../error.ts';
import * as registration from '../events/registration.ts';
import { EventRouter } from '../events/router.ts';
import { Subscriptions } from '../events/subscribe.ts';
import type { Subscription } from '../events/subscription.ts';
import { MessageType, type Packet, Program } from '../frame/index.ts';
import { checkDurationMs } from '../guard.ts';
import {
  type ArgsOf,
  type ParameterProcedureName,
  type Procedure,
  type ProcedureName,
  procedureOf,
  type ReturnOf,
  type StreamProcedureName,
} from '../procedures/index.ts';
import { plainParameters, type TypedParamPlain } from '../procedures/typed-param.ts';
import type { LibvirtStream } from '../streams/stream.ts';
import { Streams } from '../streams/streams.ts';
import { Calls } from './calls.ts';
import type { CallOptions, Connection } from './contract.ts';
import { type FirstCall, firstCallOf } from './first-call.ts';
import { Keepalive, pongFor } from './keepalive.ts';
import type { Settings } from './options.ts';
import { PacketChannel } from './packet-channel.ts';
import type { CallWait, ReplyHandler } from './pending-call.ts';
import { Serials } from './serials.ts';

/** How long the daemon gets to answer the good-bye: it does so at once unless it is stuck. */
const goodbyeMs = 1000;

type Payload = Readonly<Record<string, unknown>>;

const asItIs: ReplyHandler<Payload> = { accept: (value) => value };

/** A connection on a Duplex; the handshake is made by calls on it. */
export class SocketConnection implements Connection {
  readonly uri: string;
  readonly closed: Promise<LibvirtError | undefined>;
  readonly #settings: Settings;
  readonly #channel: PacketChannel;
  readonly #calls: Calls;
  readonly #streams: Streams;
  readonly #router = new EventRouter();
  readonly #subscriptions: Subscriptions;
  readonly #keepalive: Keepalive | undefined;
  #resolveClosed: (error: LibvirtError | undefined) => void = () => {};
  #isOver = false;
  #closing: Promise<void> | undefined;

  constructor(duplex: Duplex, settings: Settings) {
    const { clock, maxInFlight } = settings;
    this.uri = settings.uri;
    this.#settings = settings;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#channel = new PacketChannel(duplex, {
      onPacket: (packet) => this.#onPacket(packet),
      onDrain: () => this.#onDrain(),
      // A daemon that hangs up on the good-bye before its answer was handled has done what was asked.
      onLost: (error) => this.#end(this.#closing === undefined ? error : undefined),
    });
    const serials = new Serials();
    const write = (bytes: Uint8Array): void => {
      this.#channel.write(bytes);
    };
    const isBlocked = (): boolean => this.#channel.isBlocked;
    this.#calls = new Calls({ clock, serials, maxInFlight, isBlocked, write });
    this.#streams = new Streams({
      clock,
      timeoutMs: settings.slowCallTimeoutMs,
      serials,
      channel: this.#channel,
    });
    this.#subscriptions = new Subscriptions({
      clock,
      router: this.#router,
      timeoutMs: settings.callTimeoutMs,
      invoke: (name, args, handler) => this.#invoke(name, args, { timeoutMs: Number.POSITIVE_INFINITY }, handler),
    });
    if (settings.keepalive) {
      this.#keepalive = new Keepalive(settings.keepalive, {
        clock,
        write,
        inFlight: () => this.#calls.inFlight,
        isReadingHeldUp: () => this.#channel.isPaused,
        isWritingHeldUp: () => this.#channel.isBlocked,
        onDead: (error) => this.#end(error),
      });
    }
  }

  get inFlight(): number {
    return this.#calls.inFlight;
  }

  call<Name extends ProcedureName>(name: Name, args: ArgsOf<Name>, options: CallOptions = {}): Promise<ReturnOf<Name>> {
    const first = firstCallOf(name, args ?? {});
    const reply = first ? this.#callAfter(first, name, options) : this.#invoke(name, args, options, asItIs);
    return reply as Promise<ReturnOf<Name>>;
  }

  async parameters<Name extends ParameterProcedureName>(
    name: Name,
    args: ArgsOf<Name>,
    options: CallOptions = {},
  ): Promise<Map<string, TypedParamPlain>> {
    return plainParameters(await this.call(name, args, options));
  }

  /** The deadline is one for both calls. */
  async #callAfter(first: FirstCall, name: ProcedureName, options: CallOptions): Promise<Payload> {
    const { clock } = this.#settings;
    const { timeoutMs } = this.#waitFor(procedureOf(name), options);
    const startedAt = clock.now();
    const reply = await this.#invoke(first.name, first.args, { signal: options.signal, timeoutMs }, asItIs);
    const left = { signal: options.signal, timeoutMs: Math.max(timeoutMs - (clock.now() - startedAt), 1) };
    return this.#invoke(name, first.complete(reply), left, asItIs);
  }

  async openStream<Name extends StreamProcedureName>(
    name: Name,
    args: ArgsOf<Name>,
    options: CallOptions = {},
  ): Promise<LibvirtStream<ReturnOf<Name>>> {
    const procedure = procedureOf(name);
    if (!procedure.stream) throw new TypeError(`${name} does not open a stream; use call`);
    const isSparse = procedure.sparse === true && (Number((args as Payload).flags) & 1) === 1;
    return this.#invoke(name, args, options, {
      keepsSerial: true,
      accept: (reply, serial) => this.#streams.open({ procedure, serial, isSparse, reply }),
      // Nobody waits for this stream any more; what comes of the abort shows on the connection.
      discard: (stream) => void stream.abort().catch(() => {}),
    }) as Promise<LibvirtStream<ReturnOf<Name>>>;
  }

  async domainEvents<Kind extends registration.DomainEventKind>(
    kind: Kind,
    options: registration.DomainEventsOptions = {},
  ): Promise<Subscription<registration.DomainEventOf<Kind>>> {
    return this.#subscriptions.subscribe(registration.objectRegistration('domain', kind, options));
  }

  async storagePoolEvents<Kind extends registration.StoragePoolEventKind>(
    kind: Kind,
    options: registration.StoragePoolEventsOptions = {},
  ): Promise<Subscription<registration.StoragePoolEventOf<Kind>>> {
    return this.#subscriptions.subscribe(registration.objectRegistration('storagePool', kind, options));
  }

  async networkEvents<Kind extends registration.NetworkEventKind>(
    kind: Kind,
    options: registration.NetworkEventsOptions = {},
  ): Promise<Subscription<registration.NetworkEventOf<Kind>>> {
    return this.#subscriptions.subscribe(registration.objectRegistration('network', kind, options));
  }

  async nodeDeviceEvents<Kind extends registration.NodeDeviceEventKind>(
    kind: Kind,
    options: registration.NodeDeviceEventsOptions = {},
  ): Promise<Subscription<registration.NodeDeviceEventOf<Kind>>> {
    return this.#subscriptions.subscribe(registration.objectRegistration('nodeDevice', kind, options));
  }

  async secretEvents<Kind extends registration.SecretEventKind>(
    kind: Kind,
    options: registration.SecretEventsOptions = {},
  ): Promise<Subscription<registration.SecretEventOf<Kind>>> {
    return this.#subscriptions.subscribe(registration.objectRegistration('secret', kind, options));
  }

  async monitorEvents(
    options: registration.MonitorEventsOptions = {},
  ): Promise<Subscription<registration.MonitorEvent>> {
    return this.#subscriptions.subscribe(registration.monitorRegistration(options));
  }

  close(): Promise<void> {
    this.#closing ??= this.#sayGoodbye();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the connection at once, without a word to the daemon. */
  destroy(error: LibvirtError | undefined): void {
    this.#end(error);
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#isOver) return;
    const goodbye = this.#invoke('connectClose', {}, { timeoutMs: goodbyeMs }, { accept: () => undefined });
    this.#calls.refuse(closedError());
    // Good-bye is a courtesy: the daemon cleans up after a lost socket just as well.
    await goodbye.catch(() => {});
    this.#end(undefined);
  }

  #invoke<Result>(
    name: ProcedureName,
    args: Payload,
    options: CallOptions,
    handler: ReplyHandler<Result>,
  ): Promise<Result> {
    try {
      const procedure = procedureOf(name);
      if (procedure.stream && !handler.keepsSerial) throw new TypeError(`${name} opens a stream; use openStream`);
      return this.#calls.invoke(procedure, args, this.#waitFor(procedure, options), handler);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #waitFor(procedure: Procedure, { signal, timeoutMs }: CallOptions): CallWait {
    const { callTimeoutMs, slowCallTimeoutMs } = this.#settings;
    if (timeoutMs !== undefined) return { signal, timeoutMs: checkDurationMs('timeoutMs', timeoutMs) };
    return { signal, timeoutMs: procedure.slow ? slowCallTimeoutMs : callTimeoutMs };
  }

  #onPacket(packet: Packet): void {
    this.#keepalive?.onSignOfLife();
    if (packet.type === MessageType.REPLY) this.#onReply(packet);
    else if (packet.type !== MessageType.MESSAGE) this.#onStreamPacket(packet);
    else if (packet.program === Program.KEEPALIVE) this.#answerPing(packet);
    else this.#router.onMessage(packet);
  }

  #onReply(packet: Packet): void {
    this.#calls.onReply(packet);
    // A stream that was not opened leaves nothing behind.
    this.#streams.forgetEarly(packet.serial);
  }

  #onStreamPacket(packet: Packet): void {
    if (this.#calls.isOpening(packet)) this.#streams.keepEarly(packet);
    else this.#streams.onPacket(packet);
  }

  #answerPing(packet: Packet): void {
    const pong = pongFor(packet);
    // A peer that pings without reading must not fill the memory of this side.
    if (pong && !this.#channel.isBlocked) this.#channel.write(pong);
  }

  #onDrain(): void {
    this.#keepalive?.onSignOfLife();
    this.#streams.onDrain();
    this.#calls.pump();
  }

  #end(error: LibvirtError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#keepalive?.stop();
    this.#channel.destroy();
    const reason = error ?? closedError();
    this.#calls.fail(reason);
    this.#streams.fail(reason);
    for (const queue of this.#router.end()) queue.onConnectionEnd(error);
    this.#resolveClosed(error);
  }
}

/** The error of what was under way when this side closed the connection. */
export function closedError(): LibvirtError {
  return new LibvirtError('LIBVIRT_CLOSED', 'connection was closed by this side');
}
