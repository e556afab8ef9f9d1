import { type CallOptions, type Clock, isWarmvmError, JoinedJobs, WarmvmError } from '@warmvm/core/driver';
import {
  type ArgsOf,
  type Client,
  type Dial,
  type DomainRef,
  isLibvirtError,
  type LibvirtStream,
  openClient,
  type ProcedureName,
  type ReturnOf,
  uuidToString,
} from '@warmvm/libvirt';
import { asksForState, type ObservedState, stateOf, stateOfEvent } from './lifecycle.ts';
import { mapError } from './map-error.ts';

/** What a {@link Session} is opened with. */
export interface SessionOptions {
  readonly uri: string;
  readonly dial: Dial | undefined;
  readonly clock: Clock;
}

/** Told of one domain's life. */
export interface DomainListener {
  /** The hypervisor says so now. */
  observed(state: ObservedState): void;
  /** Something has changed that only a look at the state tells of. */
  changed(): void;
  /** The connection is gone; nothing more will be told. */
  lost(error: WarmvmError): void;
}

export interface SessionCallOptions extends CallOptions {
  readonly timeoutMs?: number;
}

interface Link {
  readonly client: Client;
  readonly listeners: Map<string, DomainListener>;
}

/**
 * The connection to one daemon: opened when first needed, opened anew by the next call after it was lost. Domains that were
 * watched over a lost connection are told so once.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #opening = new JoinedJobs<Link>();
  #link: Link | undefined;
  #everOpened = false;
  #disposed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Calls the daemon; its errors come back as ours. `doing` completes "could not". */
  async call<Name extends ProcedureName>(
    name: Name,
    args: ArgsOf<Name>,
    doing: string,
    options: SessionCallOptions = {},
  ): Promise<ReturnOf<Name>> {
    const link = await this.#ensure(options.signal);
    try {
      return await link.client.call(name, args, options);
    } catch (error) {
      this.#dropIfClosed(link, error);
      throw mapError(error, `could not ${doing}`);
    }
  }

  /**
   * A call that makes something on the host. An abort does not end it half-way: the daemon would go on making what was believed
   * cleaned up. Whoever calls has what was made, and meets the abort at the next call.
   */
  async make<Name extends ProcedureName>(
    name: Name,
    args: ArgsOf<Name>,
    doing: string,
    { signal, ...options }: SessionCallOptions = {},
  ): Promise<ReturnOf<Name>> {
    signal?.throwIfAborted();
    return this.call(name, args, doing, options);
  }

  /** Opens a stream over a connection of its own, which ends with the stream. */
  async stream(
    doing: string,
    open: (client: Client) => Promise<LibvirtStream>,
    options: CallOptions = {},
  ): Promise<LibvirtStream> {
    const link = await this.#ensure(options.signal);
    try {
      return await open(link.client);
    } catch (error) {
      this.#dropIfClosed(link, error);
      throw mapError(error, `could not ${doing}`);
    }
  }

  /** Tells the listener of every change of the domain from now on, and once at the beginning. Stops with the returned function. */
  async watch(dom: DomainRef, listener: DomainListener, options: CallOptions = {}): Promise<() => void> {
    const link = await this.#ensure(options.signal);
    const key = uuidToString(dom.uuid);
    link.listeners.set(key, listener);
    const stop = (): void => {
      if (link.listeners.get(key) === listener) link.listeners.delete(key);
    };
    try {
      listener.observed(await this.state(dom, options));
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  /** What the hypervisor says of a domain now. */
  async state(dom: DomainRef, options: CallOptions = {}): Promise<ObservedState> {
    const { state, reason } = await this.call(
      'domainGetState',
      { dom, flags: 0 },
      `see the state of ${dom.name}`,
      options,
    );
    return stateOf(state, reason);
  }

  /** Whether the daemon was ever reached. */
  get everOpened(): boolean {
    return this.#everOpened;
  }

  /** Closes the connection. Idempotent; calls reject from now on. */
  async close(): Promise<void> {
    this.#disposed = true;
    const link = this.#link;
    this.#link = undefined;
    link?.listeners.clear();
    await link?.client.close();
  }

  async #ensure(signal: AbortSignal | undefined): Promise<Link> {
    signal?.throwIfAborted();
    if (this.#disposed) throw new WarmvmError('WARMVM_HOST_LOST', 'the driver has been disposed');
    if (this.#link !== undefined) return this.#link;
    try {
      return await this.#opening.join('link', signal, (joined) => this.#open(joined));
    } catch (error) {
      if (signal?.aborted) throw error;
      const mapped = unreachable(mapError(error, `could not connect to ${this.#options.uri}`));
      if (!this.#everOpened) throw mapped;
      throw new WarmvmError('WARMVM_HOST_LOST', `the host was lost and cannot be reached again: ${mapped.message}`, {
        retryable: true,
        cause: mapped,
        details: mapped.details,
      });
    }
  }

  async #open(signal: AbortSignal): Promise<Link> {
    const { uri, dial, clock } = this.#options;
    const client = await openClient({ uri, clock, signal, ...(dial === undefined ? {} : { dial }) });
    const link: Link = { client, listeners: new Map() };
    try {
      const events = await client.domainEvents('lifecycle', { signal });
      void this.#follow(link, events);
    } catch (error) {
      await client.close();
      throw error;
    }
    if (this.#disposed) {
      await client.close();
      throw new WarmvmError('WARMVM_HOST_LOST', 'the driver has been disposed');
    }
    this.#everOpened = true;
    this.#link = link;
    void client.closed.then((error) => this.#lose(link, error));
    return link;
  }

  async #follow(
    link: Link,
    events: AsyncIterable<{ readonly dom: DomainRef; readonly event: number; readonly detail: number }>,
  ): Promise<void> {
    try {
      for await (const { dom, event, detail } of events) {
        const listener = link.listeners.get(uuidToString(dom.uuid));
        if (listener === undefined) continue;
        const observed = stateOfEvent(event, detail);
        if (observed !== undefined) listener.observed(observed);
        else if (asksForState(event, detail)) listener.changed();
      }
    } catch {
      // A feed that broke (its buffer was full, the socket went) tells nothing more: without events the link is no good.
      await link.client.close();
    }
  }

  /** One connection of the link is known to be dead before the whole of it is: the next call opens a new one. */
  #dropIfClosed(link: Link, error: unknown): void {
    if (this.#link === link && isLibvirtError(error) && error.code === 'LIBVIRT_CLOSED') this.#link = undefined;
  }

  #lose(link: Link, cause: unknown): void {
    if (this.#link === link) this.#link = undefined;
    const error = new WarmvmError('WARMVM_HOST_LOST', `the connection to ${this.#options.uri} was lost`, {
      retryable: true,
      cause,
    });
    const listeners = [...link.listeners.values()];
    link.listeners.clear();
    for (const listener of listeners) listener.lost(error);
  }
}

/** What a dialer of the user throws may be anything. */
function unreachable(error: unknown): WarmvmError {
  if (isWarmvmError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new WarmvmError('WARMVM_HOST_UNREACHABLE', `could not reach the host: ${why}`, {
    retryable: true,
    cause: error,
  });
}
