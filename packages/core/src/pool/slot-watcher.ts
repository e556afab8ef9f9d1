import { Backoff } from '../backoff/backoff.ts';
import { guardedCall } from '../call/guarded-call.ts';
import { Alarm } from '../deadline/alarm.ts';
import { isWarmvmError, WarmvmError } from '../driver/error.ts';
import type { Machine, MachineChange, MachineState } from '../driver/machine.ts';
import type { PoolCore } from './pool-core.ts';
import { crashedError, goneError } from './pool-errors.ts';
import type { Slot } from './slot.ts';

/** Whether a machine in this state can do nothing for a user any more. */
function isDead(change: MachineChange): boolean {
  return change.state === 'crashed' || change.state === 'stopped';
}

/** Whether a machine in this state may be lent. A paused or stopping one is not dead, but of no use as a spare. */
export function isUnfitToLend(change: MachineChange): boolean {
  return isDead(change) || change.state === 'paused' || change.state === 'stopping';
}

/** Watches over the machine of each slot for as long as there is one, through all its generations. */
export class SlotWatcher {
  readonly #core: PoolCore;

  constructor(core: PoolCore) {
    this.#core = core;
  }

  begin(slot: Slot, machine: Machine): void {
    const controller = new AbortController();
    slot.watch = controller;
    this.#watch(slot, machine, controller.signal).catch((error: unknown) => {
      if (!controller.signal.aborted) this.#core.machineLost(slot, error);
    });
  }

  /** Asks the hypervisor itself. @throws what tells that the machine is of no use */
  async confirm(slot: Slot, machine: Machine): Promise<void> {
    const state = await this.#ask(slot, machine);
    const change = { state, reason: 'asked for', generation: machine.generation };
    if (isUnfitToLend(change)) throw crashedError(machine, change);
  }

  #ask(slot: Slot, machine: Machine, signal?: AbortSignal): Promise<MachineState> {
    return guardedCall((call) => machine.state(call), {
      deadlines: this.#core.deadlines,
      nowMs: this.#core.now(),
      timeoutMs: this.#core.options.timeouts.probeTimeoutMs,
      timeoutError: () => new WarmvmError('WARMVM_HOST_OPERATION', `state of machine ${machine.id}: no answer`),
      scope: slot.host.scope,
      signal,
    });
  }

  async #watch(slot: Slot, machine: Machine, signal: AbortSignal): Promise<void> {
    let delays = Backoff.statePolling()[Symbol.iterator]();
    while (!signal.aborted) {
      let cause: unknown;
      try {
        for await (const change of machine.watch({ signal })) {
          if (signal.aborted) return;
          delays = Backoff.statePolling()[Symbol.iterator]();
          this.#changed(slot, machine, change);
        }
      } catch (error) {
        cause = error;
      }
      if (signal.aborted) return;
      if (isWarmvmError(cause, 'WARMVM_HOST_LOST')) return this.#core.hostLost(slot.host, cause, slot.epoch);
      if (isWarmvmError(cause, 'WARMVM_MACHINE_GONE')) return this.#core.machineLost(slot, cause);
      const gone = await this.#ask(slot, machine, signal).then(
        () => undefined,
        (error: unknown) => (isWarmvmError(error, 'WARMVM_MACHINE_GONE') ? goneError(machine, error) : undefined),
      );
      if (signal.aborted) return;
      if (gone !== undefined) return this.#core.machineLost(slot, gone);
      await this.#pause(delays.next().value);
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      new Alarm(this.#core.deadlines, resolve).set(this.#core.now() + delayMs);
    });
  }

  #detected(slot: Slot, generation: number): void {
    if (slot.detectedGeneration >= generation) return;
    slot.detectedGeneration = generation;
    this.#core.phaseEnded('detect', slot, slot.runningSinceMs ?? this.#core.now());
  }

  #changed(slot: Slot, machine: Machine, change: MachineChange): void {
    if (change.generation !== machine.generation) return;
    slot.latestChange = change;
    if (change.state === 'running') this.#detected(slot, change.generation);
    const kind = slot.phase?.kind;
    // While it is being made or reset a machine may well stop and start; that is judged when it is about to be ready.
    if (kind === 'ready' ? isUnfitToLend(change) : kind === 'leased' && isDead(change)) {
      this.#core.machineLost(slot, crashedError(machine, change));
    }
  }
}
