import { randomUUID } from 'node:crypto';
import {
  type CallOptions,
  isWarmvmError,
  type Machine,
  type MachineChange,
  type MachineState,
  StateFeed,
  WarmvmError,
} from '@warmvm/core/driver';
import { type GuestAgent, renewGuest } from '@warmvm/guest-agent';
import { type AgentLink, openAgentLink } from './agent-link.ts';
import { identityFor } from './identity.ts';
import { rewind } from './rewind.ts';
import type { MarkedDomain, Workshop } from './workshop.ts';

/** A machine on a libvirt host. */
export class LibvirtMachine implements Machine {
  readonly id: string;
  readonly #workshop: Workshop;
  readonly #domain: MarkedDomain;
  readonly #feed: StateFeed;
  readonly #onDispose: (machine: LibvirtMachine) => void;
  readonly #disposing = new AbortController();
  #generation: number;
  #link: AgentLink;
  #stopWatching: () => void = () => {};
  #lost: WarmvmError | undefined;
  #inReset = false;
  #resetting: Promise<unknown> = Promise.resolve();
  #disposed: Promise<void> | undefined;

  private constructor(
    workshop: Workshop,
    domain: MarkedDomain,
    link: AgentLink,
    onDispose: (machine: LibvirtMachine) => void,
  ) {
    this.id = domain.dom.name;
    this.#workshop = workshop;
    this.#domain = domain;
    this.#link = link;
    this.#onDispose = onDispose;
    this.#generation = domain.mark.generation;
    this.#feed = new StateFeed({ state: 'starting', reason: 'not asked yet', generation: this.#generation });
  }

  /** A handle on a running domain, its agent within reach and its life watched. */
  static async attach(
    workshop: Workshop,
    domain: MarkedDomain,
    onDispose: (machine: LibvirtMachine) => void,
    options: CallOptions,
  ): Promise<LibvirtMachine> {
    const { dom, mark } = domain;
    const { clock } = workshop.options;
    const link = await openAgentLink(workshop.session, dom, mark.agentTransport, clock, options.signal);
    const machine = new LibvirtMachine(workshop, domain, link, onDispose);
    try {
      machine.#stopWatching = await workshop.session.watch(
        dom,
        {
          observed: ({ state, reason }) => machine.#publish(state, reason),
          changed: () => void machine.#look(),
          lost: (error) => machine.#lose(error),
        },
        options,
      );
      machine.#watchLink();
      return machine;
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw error;
    }
  }

  get generation(): number {
    return this.#generation;
  }

  /** The guest of the present generation: ask anew after a reset, which may have replaced the QEMU that it was in. */
  get guest(): GuestAgent {
    return this.#link.agent;
  }

  async state(options: CallOptions = {}): Promise<MachineState> {
    this.#requireAlive();
    const observed = await this.#workshop.session.state(this.#domain.dom, options);
    this.#publish(observed.state, observed.reason);
    return observed.state;
  }

  watch(options: CallOptions = {}): AsyncIterable<MachineChange> {
    return this.#feed.watch(options.signal);
  }

  reset(options: CallOptions = {}): Promise<void> {
    const turn = this.#resetting.then(
      () => this.#reset(options),
      () => this.#reset(options),
    );
    this.#resetting = turn;
    return turn;
  }

  /** Renews the guest and takes the proof that memory and disk are those of the golden snapshot. */
  async renew(options: CallOptions): Promise<void> {
    const { mark, dom } = this.#domain;
    const { agentTimeoutMs, clockToleranceMs, clock } = this.#workshop.options;
    await renewGuest(this.#link.agent, {
      command: mark.renewal,
      generationId: randomUUID(),
      ...identityFor(dom.name),
      expectedPrevious: mark.goldenId,
      toleranceMs: clockToleranceMs,
      timeoutMs: agentTimeoutMs,
      clock,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #reset(options: CallOptions): Promise<void> {
    this.#requireAlive();
    options.signal?.throwIfAborted();
    const signal = AbortSignal.any([this.#disposing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    this.#generation += 1;
    this.#inReset = true;
    try {
      await this.#rewind(signal);
      // After the rewind: libvirt's own revert also brings the old mark back.
      await this.#recordGeneration(signal);
      await this.renew({ signal });
      await this.state({ signal });
    } catch (cause) {
      this.#inReset = false;
      void this.#look();
      if (this.#disposing.signal.aborted) throw this.#gone(cause);
      if (options.signal?.aborted) throw options.signal.reason;
      if (isWarmvmError(cause, 'WARMVM_HOST_LOST')) throw cause;
      throw new WarmvmError('WARMVM_RESET_FAILED', `machine ${this.id} could not be reset`, {
        cause,
        details: { machine: this.id, generation: this.#generation },
      });
    } finally {
      this.#inReset = false;
    }
    if (this.#feed.present.state !== 'running') {
      throw new WarmvmError(
        'WARMVM_RESET_FAILED',
        `machine ${this.id} is ${this.#feed.present.state} after its reset`,
        {
          details: { machine: this.id, generation: this.#generation, state: this.#feed.present.state },
        },
      );
    }
  }

  /** So that generations grow also for a later process that adopts the machine. */
  async #recordGeneration(signal: AbortSignal): Promise<void> {
    const mark = { ...this.#domain.mark, generation: this.#generation };
    await this.#workshop.remark(this.#domain.dom, mark, { signal });
  }

  async #rewind(signal: AbortSignal): Promise<void> {
    const { agentSurvives } = await rewind(this.#workshop, this.#domain.dom, { signal });
    if (agentSurvives) this.#link.resync();
    else await this.#reopenLink(signal);
  }

  async #reopenLink(signal: AbortSignal): Promise<void> {
    const old = this.#link;
    await old[Symbol.asyncDispose]();
    const { dom, mark } = this.#domain;
    const { session, options } = this.#workshop;
    this.#link = await openAgentLink(session, dom, mark.agentTransport, options.clock, signal);
    this.#watchLink();
  }

  /**
   * The agent's stream ends in the moment a QEMU dies; libvirtd tells of it only when the process has been reaped, up to 200 ms
   * later. What exactly happened is told then.
   */
  #watchLink(): void {
    const link = this.#link;
    void link.ended.then(() => {
      const expected = this.#link !== link || this.#inReset || this.#disposed !== undefined || this.#lost !== undefined;
      if (!expected && this.#feed.present.state === 'running')
        this.#publish('stopping', 'its agent channel has closed');
    });
  }

  /** A reset pauses and stops on its way, and looks itself when it is done; what was seen meanwhile or before says nothing. */
  async #look(): Promise<void> {
    if (this.#inReset) return;
    const generation = this.#generation;
    try {
      const { state, reason } = await this.#workshop.session.state(this.#domain.dom);
      if (generation === this.#generation && !this.#inReset) this.#publish(state, reason);
    } catch {
      // A lost host is told by itself, and a domain that is gone had its own event.
    }
  }

  async #dispose(): Promise<void> {
    this.#disposing.abort(this.#gone());
    this.#stopWatching();
    this.#feed.end();
    await this.#resetting.catch(() => {});
    await this.#link[Symbol.asyncDispose]();
    try {
      await this.#workshop.demolish(this.#domain);
    } catch (error) {
      // Dispose is safe after the host is lost: what is left there carries our mark, and a sweep finds it.
      if (this.#lost === undefined && !isWarmvmError(error, 'WARMVM_HOST_LOST')) throw error;
    } finally {
      this.#onDispose(this);
    }
  }

  #publish(state: MachineState, reason: string): void {
    this.#feed.publish({ state, reason, generation: this.#generation });
  }

  #lose(error: WarmvmError): void {
    this.#lost = error;
    this.#feed.fail(error);
  }

  #requireAlive(): void {
    if (this.#disposed !== undefined) throw this.#gone();
    if (this.#lost !== undefined) throw this.#lost;
  }

  #gone(cause?: unknown): WarmvmError {
    return new WarmvmError('WARMVM_MACHINE_GONE', `machine ${this.id} has been destroyed`, {
      details: { machine: this.id },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
