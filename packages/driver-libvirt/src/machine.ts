import { randomUUID } from 'node:crypto';
import {
  type CallOptions,
  isWarmvmError,
  type Machine,
  type MachineChange,
  type MachineState,
  retryableDispose,
  StateFeed,
  WarmvmError,
} from '@warmvm/core/driver';
import { type GuestAgent, identityFor, renewGuest } from '@warmvm/guest-agent';
import { AgentLink } from './agent-link.ts';
import { requireRunning } from './lifecycle.ts';
import { isAbsent } from './map-error.ts';
import type { Mark } from './mark.ts';
import { LINE_CLOSED, Reaping } from './reaping.ts';
import { rewind, snapshotOwner } from './rewind.ts';
import type { MarkedDomain, Workshop } from './workshop.ts';

/** How long the guest of a machine that is taken over has for an answer. */
const TAKEOVER_ANSWER_MS = 1_000;

/** A machine on a libvirt host. */
export class LibvirtMachine implements Machine {
  readonly id: string;
  readonly #workshop: Workshop;
  readonly #domain: MarkedDomain;
  readonly #feed: StateFeed;
  readonly #reaping: Reaping;
  readonly #onDispose: (machine: LibvirtMachine) => void;
  readonly #disposing = new AbortController();
  #generation: number;
  #link: AgentLink;
  #stopWatching: () => void = () => {};
  #lost: WarmvmError | undefined;
  #inReset = false;
  #resetting: Promise<unknown> = Promise.resolve();
  #isEnding = false;
  readonly #disposeOnce = retryableDispose(() => this.#dispose());

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
    this.#reaping = new Reaping(workshop.session, domain.dom);
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
    const link = await AgentLink.open(workshop, dom, mark.agentTransport, options.signal);
    const machine = new LibvirtMachine(workshop, domain, link, onDispose);
    try {
      machine.#stopWatching = await workshop.session.watch(
        dom,
        {
          observed: ({ state, reason }) => machine.#publish(state, reason),
          changed: () => void machine.#look(),
          resumed: () => void machine.#look(),
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

  /** The same for a domain of another process, once it is sure that it runs. @throws WARMVM_MACHINE_CRASHED, WARMVM_NOT_READY */
  static async takeOver(...given: Parameters<typeof LibvirtMachine.attach>): Promise<LibvirtMachine> {
    const machine = await LibvirtMachine.attach(...given);
    const [, , , options] = given;
    try {
      // libvirt says "running" of a QEMU that has just died; its line ends meanwhile. A guest that hangs may be taken over.
      await machine.#link.firstAnswer(TAKEOVER_ANSWER_MS, 'agentTimeoutMs', options.signal).catch((error: unknown) => {
        options.signal?.throwIfAborted();
        if (isWarmvmError(error, 'WARMVM_HOST_LOST')) throw error;
      });
      requireRunning(machine.id, await machine.#settle(options));
      return machine;
    } catch (error) {
      await machine.leave();
      throw error;
    }
  }

  /** Ends this handle; the machine stays. */
  async leave(): Promise<void> {
    this.#isEnding = true;
    this.#stopWatching();
    this.#feed.end();
    await this.#link[Symbol.asyncDispose]();
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
    const { state, reason } = await this.#reaping.look(options);
    this.#publish(state, reason);
    return state;
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
      timeoutOption: 'agentTimeoutMs',
      clock,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    return this.#disposeOnce();
  }

  async #reset(options: CallOptions): Promise<void> {
    this.#requireAlive();
    options.signal?.throwIfAborted();
    const signal = AbortSignal.any([this.#disposing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    this.#generation += 1;
    this.#inReset = true;
    // Before anything else: what the old tenant asks for must not reach the next one's guest, where its process ids mean others.
    this.#link.end(this.#gone(undefined, 'was reset, and that generation is over'));
    try {
      if (await this.#workshop.isTakenOver(this.#domain, { signal }))
        throw this.#gone(undefined, 'was taken over by somebody else');
      await this.#rewind(signal);
      await this.renew({ signal });
      await this.#settle({ signal });
    } catch (cause) {
      this.#inReset = false;
      void this.#look();
      if (isWarmvmError(cause, 'WARMVM_MACHINE_GONE')) throw cause;
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
      const { state } = this.#feed.present;
      throw new WarmvmError('WARMVM_RESET_FAILED', `machine ${this.id} is ${state} after its reset`, {
        details: { machine: this.id, generation: this.#generation, state },
      });
    }
  }

  /** So that generations grow also for a later process that adopts the machine. */
  #recordGeneration(): Promise<void> {
    const { dom, mark } = this.#domain;
    const mayReplace = async ({ owner: { instance } }: Mark): Promise<boolean> =>
      instance === mark.owner.instance || instance === (await snapshotOwner(this.#workshop, dom));
    return this.#workshop.remark(dom, { ...mark, generation: this.#generation }, mayReplace);
  }

  async #rewind(signal: AbortSignal): Promise<void> {
    const rewinding = rewind(this.#workshop, this.#domain.dom, this.#link, { signal });
    const { agentSurvives } = await rewinding.catch(async (error: unknown) => {
      if (!isWarmvmError(error, 'WARMVM_HOST_LOST')) await this.#recordGeneration().catch(() => {});
      throw error;
    });
    // Not to be given up by an abort: libvirt's own revert brings the mark of the fork back, which may name another owner.
    await this.#recordGeneration();
    if (agentSurvives) this.#link.renew();
    else await this.#reopenLink(signal);
  }

  async #reopenLink(signal: AbortSignal): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
    const { dom, mark } = this.#domain;
    this.#link = await AgentLink.open(this.#workshop, dom, mark.agentTransport, signal);
    this.#watchLink();
  }

  /**
   * The agent's stream ends in the moment a QEMU dies; libvirtd tells of it only when the process has been reaped, up to 200 ms
   * later. What exactly happened is told then.
   */
  #watchLink(): void {
    const link = this.#link;
    this.#reaping.lineBegan();
    void link.ended.then(() => {
      if (this.#link === link) this.#reaping.lineEnded();
      const expected = this.#link !== link || this.#inReset || this.#isEnding || this.#lost !== undefined;
      if (!expected && this.#feed.present.state === 'running') this.#publish('stopping', LINE_CLOSED);
    });
  }

  async #settle(options: CallOptions): Promise<MachineState> {
    const { state, reason } = await this.#reaping.settled(options);
    this.#publish(state, reason);
    return state;
  }

  /** A reset pauses and stops on its way, and looks itself when it is done; what was seen meanwhile or before says nothing. */
  async #look(): Promise<void> {
    if (this.#inReset) return;
    this.#link.reopen();
    const generation = this.#generation;
    try {
      const { state, reason } = await this.#reaping.settled({});
      if (generation === this.#generation && !this.#inReset) this.#publish(state, reason);
    } catch (error) {
      // A lost host is told by itself; the event of a domain that went away may have been lost with a connection.
      if (isAbsent(error) && generation === this.#generation) this.#publish('stopped', 'it is gone from the host');
    }
  }

  async #dispose(): Promise<void> {
    this.#disposing.abort(this.#gone());
    this.#stopWatching();
    this.#feed.end();
    await this.#resetting.catch(() => {});
    this.#link.end(this.#gone());
    // The machine goes also if its channel does not close.
    await Promise.resolve(this.#link[Symbol.asyncDispose]()).catch(() => {});
    try {
      await this.#workshop.demolish(this.#domain);
    } catch (error) {
      // Dispose is safe after the host is lost: what is left there carries our mark, and the driver goes on holding it.
      if (!isWarmvmError(error, 'WARMVM_HOST_LOST')) throw error;
    }
    this.#onDispose(this);
  }

  #publish(state: MachineState, reason: string): void {
    if (state === 'crashed' || state === 'stopped') this.#reaping.reaped();
    this.#feed.publish({ state, reason, generation: this.#generation });
  }

  #lose(error: WarmvmError): void {
    this.#lost = error;
    this.#link.end(error);
    this.#feed.fail(error);
  }

  #requireAlive(): void {
    if (this.#isEnding) throw this.#gone();
    if (this.#lost !== undefined) throw this.#lost;
  }

  #gone(cause?: unknown, what: string = 'has been destroyed'): WarmvmError {
    return new WarmvmError('WARMVM_MACHINE_GONE', `machine ${this.id} ${what}`, {
      details: { machine: this.id },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
