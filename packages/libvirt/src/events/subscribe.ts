import type { Clock } from '../clock.ts';
import type { ReplyHandler } from '../connection/pending-call.ts';
import { isLibvirtError } from '../error.ts';
import { waitWithin } from '../guard.ts';
import { payloadCodec } from '../procedures/notation.ts';
import type { Registration } from './registration.ts';
import type { EventChannel, EventRouter, Sink } from './router.ts';
import { EventQueue, type Subscription } from './subscription.ts';

/** What subscriptions need of their connection. */
export interface SubscriptionHost {
  readonly clock: Clock;
  readonly router: EventRouter;
  /** How long a subscriber waits for the daemon to register or deregister. */
  readonly timeoutMs: number;
  /** Makes a call without a deadline: what the daemon makes of it has to be known, however late. */
  readonly invoke: (
    name: Registration['register'],
    args: Registration['args'],
    handler: ReplyHandler<void>,
  ) => Promise<void>;
}

/** The state of a {@link SharedRegistration}; `done` never rejects. */
type Phase =
  | { readonly name: 'idle' }
  | { readonly name: 'opening'; readonly done: Promise<void> }
  | { readonly name: 'open'; readonly callbackId: number }
  | { readonly name: 'closing'; readonly done: Promise<void> }
  | { readonly name: 'failed'; readonly reason: unknown }
  | { readonly name: 'closed' };

/** One registration at the daemon, for all subscribers to one kind and object. */
class SharedRegistration {
  readonly #host: SubscriptionHost;
  readonly #wanted: Registration;
  readonly #channel: EventChannel;
  readonly #sink: Sink;
  readonly #onOver: () => void;
  #phase: Phase = { name: 'idle' };

  /** @param onOver Called when the daemon has nothing registered any more. */
  constructor(host: SubscriptionHost, wanted: Registration, onOver: () => void) {
    this.#host = host;
    this.#wanted = wanted;
    this.#channel = { program: wanted.program, message: wanted.kind.message };
    this.#sink = { queues: new Set(), codec: payloadCodec(wanted.kind.payload) };
    this.#onOver = onOver;
  }

  /** Adds a subscriber. False when the registration has ended, which needs another one. */
  async join(queue: EventQueue<unknown>): Promise<boolean> {
    while (this.#phase.name === 'closing') await this.#phase.done;
    if (this.#phase.name === 'closed') return false;
    // A subscriber that gave up meanwhile must not keep the registration open.
    if (queue.isEnded) return true;
    this.#sink.queues.add(queue);
    if (this.#phase.name === 'idle') this.#start();
    if (this.#phase.name === 'opening') await this.#phase.done;
    if (this.#phase.name === 'failed') throw this.#phase.reason;
    return true;
  }

  /** Removes a subscriber; after the last one it deregisters. */
  async leave(queue: EventQueue<unknown>): Promise<void> {
    if (!this.#sink.queues.delete(queue)) return;
    this.#closeIfUnused();
    if (this.#phase.name === 'closing') await this.#phase.done;
  }

  /** The reply may be handled before the call that asks for it returns. */
  #start(): void {
    let onDone: () => void = () => {};
    const done = new Promise<void>((resolve) => {
      onDone = resolve;
    });
    this.#phase = { name: 'opening', done };
    void this.#open().then(onDone);
  }

  async #open(): Promise<void> {
    const { invoke, router } = this.#host;
    router.expect(this.#channel);
    const accept = ({ callbackID }: Readonly<Record<string, unknown>>): void => {
      this.#attach(Number(callbackID));
      this.#closeIfUnused();
    };
    try {
      await invoke(this.#wanted.register, this.#wanted.args, { accept });
    } catch (reason) {
      this.#phase = { name: 'failed', reason };
      this.#onOver();
    } finally {
      router.settle(this.#channel);
    }
  }

  #attach(callbackId: number): void {
    this.#host.router.assertFree(this.#channel, callbackId);
    this.#phase = { name: 'open', callbackId };
    this.#host.router.attach(this.#channel, callbackId, this.#sink);
  }

  #closeIfUnused(): void {
    if (this.#phase.name !== 'open' || this.#sink.queues.size > 0) return;
    this.#phase = { name: 'closing', done: this.#close(this.#phase.callbackId) };
  }

  async #close(callbackId: number): Promise<void> {
    this.#host.router.detach(this.#channel, callbackId);
    try {
      await this.#host.invoke(this.#wanted.deregister, { callbackID: callbackId }, { accept: () => undefined });
    } catch (error) {
      // A daemon that does not deregister goes on sending, and refuses to register again: the next subscriber takes this one over.
      if (isLibvirtError(error) && error.code === 'LIBVIRT_REMOTE') return this.#attach(callbackId);
    }
    this.#phase = { name: 'closed' };
    this.#onOver();
  }
}

/** The subscriptions of one connection. The daemon takes one registration for each kind and object; all subscribers share it. */
export class Subscriptions {
  readonly #host: SubscriptionHost;
  readonly #shared = new Map<string, SharedRegistration>();

  constructor(host: SubscriptionHost) {
    this.#host = host;
  }

  /**
   * Subscribes to events.
   * @throws the signal's reason, LibvirtError `LIBVIRT_TIMEOUT`, or the error of the registration.
   */
  async subscribe<Event>(wanted: Registration): Promise<Subscription<Event>> {
    const { signal, what } = wanted;
    const { clock, timeoutMs } = this.#host;
    signal?.throwIfAborted();
    let shared: SharedRegistration | undefined;
    const queue = new EventQueue<unknown>(
      async () => {
        signal?.removeEventListener('abort', onAbort);
        const leaving = shared?.leave(queue) ?? Promise.resolve();
        await waitWithin(clock, { signal: undefined, timeoutMs, what }, leaving).catch(() => {});
      },
      () => signal?.removeEventListener('abort', onAbort),
    );
    const onAbort = (): void => queue.fail(signal?.reason);
    const joining = this.#join(wanted, queue, (joined) => {
      shared = joined;
    });
    try {
      await waitWithin(clock, { signal, timeoutMs, what: `registering for ${what}` }, joining);
      signal?.throwIfAborted();
    } catch (error) {
      void queue[Symbol.asyncDispose]();
      throw error;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    return queue as unknown as Subscription<Event>;
  }

  async #join(
    wanted: Registration,
    queue: EventQueue<unknown>,
    onShared: (shared: SharedRegistration) => void,
  ): Promise<void> {
    for (;;) {
      const shared = this.#shared.get(wanted.key) ?? this.#make(wanted);
      onShared(shared);
      if (await shared.join(queue)) return;
    }
  }

  #make(wanted: Registration): SharedRegistration {
    const shared: SharedRegistration = new SharedRegistration(this.#host, wanted, () => {
      if (this.#shared.get(wanted.key) === shared) this.#shared.delete(wanted.key);
    });
    this.#shared.set(wanted.key, shared);
    return shared;
  }
}
