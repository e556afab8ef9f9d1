import { randomBytes } from 'node:crypto';
import { type CallOptions, type Clock, type GoldenImage, type Timer, WarmvmError } from '@warmvm/core/driver';
import type { NetworkPlan } from '../command-line/network-plan.ts';
import type { ParsedNetwork, QemuForward } from './network-option.ts';

/** What one machine's card is plugged into. */
export interface Plug {
  readonly plan: NetworkPlan;
  /** When its QEMU is gone. Idempotent. */
  giveBack(): void;
}

/** Card of templates: forks get others. */
const TEMPLATE_MAC = '52:54:00:12:34:56';
/**
 * A template's network remembers that it gave 10.0.2.15 to the template's card. Its forks have other cards, and would get the next
 * address, to which nothing is forwarded: from here on, the next one is 10.0.2.15.
 */
const FIRST_ADDRESS_OF_FORKS = '10.0.2.14';

/** Hands out what machines' cards are plugged into. */
export class Plugs {
  readonly #network: ParsedNetwork | undefined;
  readonly #clock: Clock;
  readonly #free: string[];
  readonly #waiting: ((name: string) => void)[] = [];

  constructor(network: ParsedNetwork | undefined, clock: Clock) {
    this.#network = network;
    this.#clock = clock;
    this.#free = network?.kind === 'tap' ? [...network.names] : [];
  }

  /** Ports that lead to each machine. */
  get forwards(): readonly Required<QemuForward>[] {
    return this.#network?.kind === 'user' ? this.#network.forwards : [];
  }

  /**
   * The network of an image's template. What a guest may reach while it boots is part of what it becomes.
   * @throws WARMVM_NOT_SUPPORTED for an image that asks for a way out, where no option allows what comes with it
   */
  ofTemplate(image: GoldenImage): NetworkPlan {
    const network = this.#network ?? { kind: image.network, restrict: undefined };
    switch (network.kind) {
      case 'none':
        return { kind: 'none' };
      case 'user':
        if (network.restrict === undefined) throw unasked(image);
        return { kind: 'user', restrict: network.restrict, mac: TEMPLATE_MAC };
      case 'tap':
        return { kind: 'unplugged', mac: TEMPLATE_MAC };
    }
  }

  /**
   * A plug for a fork, with a card's address that nobody had before.
   * @throws the signal's reason; WARMVM_HOST_OPERATION (`retryable`) when no tap comes free in time
   */
  async take(template: NetworkPlan, options: CallOptions & { readonly timeoutMs: number }): Promise<Plug> {
    const mac = newMac();
    switch (template.kind) {
      case 'none':
        return { plan: template, giveBack: () => {} };
      case 'user':
        return { plan: { ...template, firstAddress: FIRST_ADDRESS_OF_FORKS, mac }, giveBack: () => {} };
      default: {
        const name = this.#free.shift() ?? (await this.#nextTap(options));
        let isOurs = true;
        const giveBack = (): void => {
          if (isOurs) this.#giveBack(name);
          isOurs = false;
        };
        return { plan: { kind: 'tap', name, mac }, giveBack };
      }
    }
  }

  #giveBack(name: string): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(name);
    else next(name);
  }

  #nextTap({ signal, timeoutMs }: CallOptions & { readonly timeoutMs: number }): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void): void => {
        const index = this.#waiting.indexOf(take);
        if (index !== -1) this.#waiting.splice(index, 1);
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const take = (name: string): void => done(() => resolve(name));
      const onAbort = (): void => done(() => reject(signal?.reason));
      const timer: Timer = this.#clock.setTimer(() => done(() => reject(this.#noTap(timeoutMs))), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(take);
    });
  }

  #noTap(timeoutMs: number): WarmvmError {
    const taps = this.#network?.kind === 'tap' ? this.#network.names.length : 0;
    return new WarmvmError('WARMVM_HOST_OPERATION', `none of ${taps} taps came free within ${timeoutMs} ms`, {
      retryable: true,
      details: { taps, timeoutMs, remedy: 'options.network.names: one for each machine and each process that waits' },
    });
  }
}

/** An image says what its guest needs; what this computer opens to it, its user says. */
function unasked({ name }: GoldenImage): WarmvmError {
  const allowed = "{ kind: 'user', restrict: false, hostLoopback: true }";
  return new WarmvmError(
    'WARMVM_NOT_SUPPORTED',
    `image ${name} asks for a user network, in which the guest also reaches what listens on this computer's loopback address. Allow that by name with options.network: ${allowed}; or give { kind: 'user' }, in which it reaches nothing, or a tap`,
    { details: { image: name, network: 'user', option: 'options.network' } },
  );
}

/** Locally administered, of one card. */
function newMac(): string {
  return ['02', ...randomBytes(5).toString('hex').match(/../g)!].join(':');
}
