import { openConnection } from '../connection/connect.ts';
import { closedError } from '../connection/connection.ts';
import type { CallOptions, Connection, LibvirtSession } from '../connection/contract.ts';
import { type ConnectOptions, parseConnectOptions, type Settings } from '../connection/options.ts';
import type { LibvirtError } from '../error.ts';
import type * as registration from '../events/registration.ts';
import type { Subscription } from '../events/subscription.ts';
import { checkDurationMs, waitWithin } from '../guard.ts';
import {
  type ArgsOf,
  isSlow,
  type ParameterProcedureName,
  type ProcedureName,
  type ReturnOf,
  type StreamProcedureName,
} from '../procedures/index.ts';
import { plainParameters, type TypedParamPlain } from '../procedures/typed-param.ts';
import type { LibvirtStream } from '../streams/stream.ts';

/**
 * Several connections to one daemon that act as one: quick calls and events on the first, calls that a table marks
 * slow on a second (opened when first needed, then kept: domains started with AUTODESTROY live as long as it does),
 * each stream on one of its own. The loss of the first or the second ends the client.
 */
export interface Client extends LibvirtSession {}

/**
 * Opens a client.
 * @throws TypeError or RangeError at once on bad options; rejects with the signal's reason or a LibvirtError.
 */
export function openClient(options: ConnectOptions): Promise<Client> {
  const settings = parseConnectOptions(options);
  return openConnection(settings, options.signal).then((main) => new RoutingClient(main, settings));
}

class RoutingClient implements Client {
  readonly uri: string;
  readonly closed: Promise<LibvirtError | undefined>;
  readonly #main: Connection;
  readonly #settings: Settings;
  readonly #ending = new AbortController();
  readonly #others = new Set<Connection>();
  #slow: Promise<Connection> | undefined;
  #resolveClosed: (error: LibvirtError | undefined) => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(main: Connection, settings: Settings) {
    this.uri = settings.uri;
    this.#main = main;
    this.#settings = settings;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#endWith(main);
  }

  call<Name extends ProcedureName>(name: Name, args: ArgsOf<Name>, options: CallOptions = {}): Promise<ReturnOf<Name>> {
    return isSlow(name) ? this.#callSlow(name, args, options) : this.#main.call(name, args, options);
  }

  async parameters<Name extends ParameterProcedureName>(
    name: Name,
    args: ArgsOf<Name>,
    options: CallOptions = {},
  ): Promise<Map<string, TypedParamPlain>> {
    return plainParameters(await this.call(name, args, options));
  }

  async #callSlow<Name extends ProcedureName>(
    name: Name,
    args: ArgsOf<Name>,
    options: CallOptions,
  ): Promise<ReturnOf<Name>> {
    const { clock, openTimeoutMs, slowCallTimeoutMs } = this.#settings;
    const { signal } = options;
    const timeoutMs =
      options.timeoutMs === undefined ? slowCallTimeoutMs : checkDurationMs('timeoutMs', options.timeoutMs);
    const startedAt = clock.now();
    const wait = { signal, timeoutMs: Math.min(openTimeoutMs, timeoutMs), what: `opening ${this.uri}` };
    const slow = await waitWithin(clock, wait, this.#openSlow());
    // The deadline is one for both, the opening and the call; a timer needs a positive delay.
    return slow.call(name, args, { signal, timeoutMs: Math.max(timeoutMs - (clock.now() - startedAt), 1) });
  }

  async openStream<Name extends StreamProcedureName>(
    name: Name,
    args: ArgsOf<Name>,
    options: CallOptions = {},
  ): Promise<LibvirtStream<ReturnOf<Name>>> {
    const connection = await this.#open(options.signal);
    const stream = await connection.openStream(name, args, options).catch(async (error: unknown) => {
      await connection.close();
      throw error;
    });
    void stream.settled.then(() => connection.close());
    return stream;
  }

  domainEvents<Kind extends registration.DomainEventKind>(
    kind: Kind,
    options?: registration.DomainEventsOptions,
  ): Promise<Subscription<registration.DomainEventOf<Kind>>> {
    return this.#main.domainEvents(kind, options);
  }

  storagePoolEvents<Kind extends registration.StoragePoolEventKind>(
    kind: Kind,
    options?: registration.StoragePoolEventsOptions,
  ): Promise<Subscription<registration.StoragePoolEventOf<Kind>>> {
    return this.#main.storagePoolEvents(kind, options);
  }

  networkEvents<Kind extends registration.NetworkEventKind>(
    kind: Kind,
    options?: registration.NetworkEventsOptions,
  ): Promise<Subscription<registration.NetworkEventOf<Kind>>> {
    return this.#main.networkEvents(kind, options);
  }

  nodeDeviceEvents<Kind extends registration.NodeDeviceEventKind>(
    kind: Kind,
    options?: registration.NodeDeviceEventsOptions,
  ): Promise<Subscription<registration.NodeDeviceEventOf<Kind>>> {
    return this.#main.nodeDeviceEvents(kind, options);
  }

  secretEvents<Kind extends registration.SecretEventKind>(
    kind: Kind,
    options?: registration.SecretEventsOptions,
  ): Promise<Subscription<registration.SecretEventOf<Kind>>> {
    return this.#main.secretEvents(kind, options);
  }

  monitorEvents(options?: registration.MonitorEventsOptions): Promise<Subscription<registration.MonitorEvent>> {
    return this.#main.monitorEvents(options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll(undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeAll(error: LibvirtError | undefined): Promise<void> {
    this.#ending.abort(error ?? closedError());
    // The first connection goes last: the state of the test driver lives as long as any connection to it.
    await Promise.all([...this.#others].map((connection) => connection.close()));
    await this.#main.close();
    this.#resolveClosed(error);
  }

  #openSlow(): Promise<Connection> {
    this.#slow ??= this.#open(undefined).then(
      (connection) => {
        this.#endWith(connection);
        return connection;
      },
      (error: unknown) => {
        this.#slow = undefined;
        throw error;
      },
    );
    return this.#slow;
  }

  /** Opens a further connection, which is given up when the client ends. */
  async #open(signal: AbortSignal | undefined): Promise<Connection> {
    const ending = this.#ending.signal;
    ending.throwIfAborted();
    const opening = new AbortController();
    const onEnding = (): void => opening.abort(ending.reason);
    const onAbort = (): void => opening.abort(signal?.reason);
    ending.addEventListener('abort', onEnding, { once: true });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      const connection = await openConnection(this.#settings, opening.signal);
      this.#others.add(connection);
      void connection.closed.then(() => this.#others.delete(connection));
      return connection;
    } finally {
      ending.removeEventListener('abort', onEnding);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends the client when this connection is lost. */
  #endWith(connection: Connection): void {
    void connection.closed.then((error) => {
      this.#closing ??= this.#closeAll(error);
    });
  }
}
