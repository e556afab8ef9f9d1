import { type CallOptions, type Clock, isWarmvmError, JoinedJobs, sleep } from '@warmvm/core/driver';
import {
  type ArgsOf,
  type Client,
  type Dial,
  type DomainRef,
  type LibvirtStream,
  localDialer,
  openClient,
  type ProcedureName,
  type ReturnOf,
  uuidToString,
} from '@warmvm/libvirt';
import { DaemonClients } from './daemon-clients.ts';
import { type DomainListener, follow } from './domain-listener.ts';
import {
  disposedError,
  interruption,
  isClosed,
  isInterruption,
  isRepeatable,
  lostError,
  notOpened,
  unreachable,
  untilAborted,
} from './interruption.ts';
import { type ObservedState, stateOf } from './lifecycle.ts';
import { mapError } from './map-error.ts';

/** What a {@link Session} is opened with. */
export interface SessionOptions {
  readonly uri: string;
  readonly dial: Dial | undefined;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly reconnectMs: number;
  readonly maxClients: number;
  readonly maxClientRequests: number;
}

export interface SessionCallOptions extends CallOptions {
  readonly timeoutMs?: number;
}

interface Link {
  readonly client: Client;
  readonly listeners: Map<string, DomainListener>;
}

/** Breaks that one call is repeated over. */
const MOST_REPEATS = 3;
/** The first pause between two attempts to connect anew, which doubles, and the longest. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * The connection to one daemon: opened when first needed. One that breaks is opened anew in the background for `reconnectMs`; what
 * was asked meanwhile waits, what was under way fails alone, and domains go on being watched. Only then the host is lost, which those who watch are
 * told once; the next call tries again.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #clients: DaemonClients;
  readonly #opening = new JoinedJobs<Link>();
  #link: Link | undefined;
  #ending = new AbortController();
  /** Comes to whether the connection is there again. */
  #mending: Promise<boolean> | undefined;
  #everOpened = false;
  #disposed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#clients = new DaemonClients(options.dial ?? localDialer(options.uri), options.maxClients, options.clock);
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
    for (let repeats = 0; ; repeats += 1) {
      const link = await this.#ensure(options.signal);
      try {
        return await link.client.call(name, args, options);
      } catch (error) {
        const failure = await this.#after(link, error, doing, options.signal);
        if (!isInterruption(failure) || repeats === MOST_REPEATS || !isRepeatable(name)) throw failure;
      }
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
      // The connection of one stream may end alone: the main one tells.
      if (isClosed(error) && (await this.#answers(link))) throw interruption(error, doing);
      throw await this.#after(link, error, doing, options.signal);
    }
  }

  /**
   * What a connection that broke means for what was under way over it: a failure of that alone when the connection comes back,
   * which this waits for, and WARMVM_HOST_LOST when it does not. Other errors come back as ours.
   */
  async afterBreak(error: unknown, doing: string, signal?: AbortSignal): Promise<unknown> {
    const link = this.#link;
    if (!isClosed(error)) return mapError(error, `could not ${doing}`);
    // One connection of several may have ended alone, or first: the others tell.
    return link === undefined ? this.#outcome(error, doing, signal) : interruption(error, doing);
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
    const args = { dom, flags: 0 };
    const { state, reason } = await this.call('domainGetState', args, `see the state of ${dom.name}`, options);
    return stateOf(state, reason);
  }

  /** Whether the daemon was ever reached. */
  get everOpened(): boolean {
    return this.#everOpened;
  }

  /** Closes the connection. Idempotent; calls reject from now on. */
  async close(): Promise<void> {
    this.#disposed = true;
    this.#ending.abort(disposedError());
    const link = this.#link;
    this.#link = undefined;
    link?.listeners.clear();
    await link?.client.close();
  }

  /** Calls are possible again after {@link close}. */
  reopen(): void {
    if (!this.#disposed) return;
    this.#disposed = false;
    this.#ending = new AbortController();
  }

  async #ensure(signal: AbortSignal | undefined): Promise<Link> {
    signal?.throwIfAborted();
    if (this.#disposed) throw disposedError();
    if (this.#mending !== undefined) await untilAborted(this.#mending, signal);
    if (this.#link !== undefined) return this.#link;
    try {
      return await this.#opening.join('link', signal, (joined) => this.#open(joined));
    } catch (error) {
      if (signal?.aborted) throw error;
      const mapped = unreachable(mapError(error, `could not connect to ${this.#options.uri}`));
      if (!this.#everOpened) throw mapped;
      throw lostError(`the host was lost and cannot be reached again: ${mapped.message}`, mapped);
    }
  }

  async #open(signal: AbortSignal, listeners: Link['listeners'] = new Map()): Promise<Link> {
    const { uri, clock, connectTimeoutMs: openTimeoutMs, maxClientRequests: maxInFlight } = this.#options;
    const { dial } = this.#clients;
    const client = await openClient({ uri, dial, clock, signal, openTimeoutMs, maxInFlight }).catch(
      (error: unknown) => {
        throw signal.aborted ? error : notOpened(error, uri);
      },
    );
    const link: Link = { client, listeners };
    try {
      // Before anything is listed, so that what happens meanwhile is told.
      const events = await client.domainEvents('lifecycle', { signal });
      // A feed that broke (its buffer was full, the socket went) reports nothing more: without events the link is useless.
      follow(events, listeners).catch(() => client.close());
    } catch (error) {
      await client.close();
      throw error;
    }
    if (this.#disposed) {
      await client.close();
      throw disposedError();
    }
    this.#everOpened = true;
    this.#link = link;
    void client.closed.then((error) => this.#break(link, error));
    return link;
  }

  async #answers({ client }: Link): Promise<boolean> {
    return client.call('connectGetLibVersion', {}, { timeoutMs: this.#options.connectTimeoutMs }).then(
      () => true,
      (error: unknown) => !isClosed(error),
    );
  }

  async #after(link: Link, error: unknown, doing: string, signal: AbortSignal | undefined): Promise<unknown> {
    if (!isClosed(error)) return mapError(error, `could not ${doing}`);
    this.#break(link, error);
    return this.#outcome(error, doing, signal);
  }

  async #outcome(error: unknown, doing: string, signal: AbortSignal | undefined): Promise<unknown> {
    const isBack =
      !this.#disposed && (await untilAborted(this.#mending ?? Promise.resolve(this.#link !== undefined), signal));
    return isBack ? interruption(error, doing) : mapError(error, `could not ${doing}`);
  }

  /** A part of the link is known to be dead: all of it is given up. */
  #break(link: Link, cause: unknown): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    void link.client.close();
    if (this.#disposed) return;
    const mending = this.#mend(link, cause).finally(() => {
      if (this.#mending === mending) this.#mending = undefined;
    });
    this.#mending = mending;
  }

  /** Connects anew until it is too late. */
  async #mend({ listeners }: Link, cause: unknown): Promise<boolean> {
    const { clock, reconnectMs, uri } = this.#options;
    const limit = new AbortController();
    const tooLate = (): void => limit.abort(new Error(`not within ${reconnectMs} ms`));
    const timer = clock.setTimer(tooLate, Math.max(reconnectMs, 1));
    const signal = AbortSignal.any([limit.signal, this.#ending.signal]);
    let reason = cause;
    try {
      for (let pauseMs = FIRST_PAUSE_MS; reconnectMs > 0; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
        try {
          await this.#open(signal, listeners);
          for (const listener of [...listeners.values()]) listener.resumed();
          return true;
        } catch (error) {
          if (signal.aborted) break;
          reason = unreachable(mapError(error, `could not connect to ${uri} again`));
          // A key that has changed or a right that was taken does not come back by itself.
          if (isWarmvmError(reason) && !reason.retryable) break;
        }
        // Many drivers may have lost one host at the same moment.
        await sleep(clock, pauseMs * (0.5 + Math.random()), signal);
      }
    } catch {
      // The time is over, or the driver is disposed.
    } finally {
      timer.cancel();
    }
    this.#tellLost(listeners, reason);
    return false;
  }

  #tellLost(listeners: Link['listeners'], cause: unknown): void {
    const error = lostError(`the connection to ${this.#options.uri} was lost`, cause);
    const told = [...listeners.values()];
    listeners.clear();
    for (const listener of told) listener.lost(error);
  }
}
