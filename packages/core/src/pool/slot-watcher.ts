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

/** Questions for a state that may be under way on one host: few enough for any hypervisor, and a slow one only stretches the beat. */
const QUESTIONS_AT_A_TIME = 4;

/** Longest that a hypervisor may take to tell a state before the machine must prove itself again. */
const LONGEST_QUESTION_MS = 2_000;

const POLL_DELAYS_MS: readonly number[] = takeDelays();

/** The delays of the policy, up to the one that then repeats. */
function takeDelays(): readonly number[] {
  const taken: number[] = [];
  for (const delayMs of Backoff.statePolling()) {
    if (delayMs === taken.at(-1)) return taken;
    taken.push(delayMs);
  }
  return taken;
}

/**
 * Watches over the machine of each slot for as long as there is one, through all its generations. Events come first. Beside them the
 * hypervisor is asked, and its answer counts like an event: by the backoff while something is in transition or no event can be
 * trusted to come, by a slow beat otherwise. So a fault of the events costs time and nothing else.
 */
export class SlotWatcher {
  readonly #core: PoolCore;
  readonly #alarm: Alarm;

  constructor(core: PoolCore) {
    this.#core = core;
    this.#alarm = new Alarm(core.deadlines, () => this.#run());
  }

  begin(slot: Slot, machine: Machine): void {
    const controller = new AbortController();
    slot.watch = controller;
    this.stirred(slot, this.#core.now());
    this.#watch(slot, machine, controller.signal).catch((error: unknown) => {
      if (!controller.signal.aborted) this.#core.machineLost(slot, error);
    });
  }

  /** Something about the machine is changing: its hypervisor is asked soon. On the way of every reset, so it must be cheap. */
  stirred(slot: Slot, nowMs: number): void {
    slot.pollStep = 0;
    slot.pollAtMs = nowMs + POLL_DELAYS_MS[0]!;
    this.#alarm.setNoLaterThan(slot.pollAtMs);
  }

  /** Asks the hypervisor itself. @throws what tells that the machine is of no use */
  async confirm(slot: Slot, machine: Machine): Promise<void> {
    const state = await this.#ask(slot, machine, this.#core.options.timeouts.probeTimeoutMs);
    const change = { state, reason: 'asked for', generation: machine.generation };
    if (isUnfitToLend(change)) throw crashedError(machine, change);
  }

  #ask(slot: Slot, machine: Machine, timeoutMs: number, signal?: AbortSignal): Promise<MachineState> {
    return guardedCall((call) => machine.state(call), {
      deadlines: this.#core.deadlines,
      nowMs: this.#core.now(),
      timeoutMs,
      timeoutError: () => new WarmvmError('WARMVM_HOST_OPERATION', `state of machine ${machine.id}: no answer`),
      scope: slot.host.scope,
      signal,
    });
  }

  async #watch(slot: Slot, machine: Machine, signal: AbortSignal): Promise<void> {
    let tries = 0;
    while (!signal.aborted) {
      try {
        for await (const change of machine.watch({ signal })) {
          if (signal.aborted) return;
          tries = 0;
          slot.isHeard = true;
          this.#changed(slot, machine, change);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (isWarmvmError(error, 'WARMVM_HOST_LOST')) return this.#core.hostLost(slot.host, error, slot.epoch);
        if (isWarmvmError(error, 'WARMVM_MACHINE_GONE')) return this.#core.machineLost(slot, error);
      }
      if (signal.aborted) return;
      slot.isHeard = false;
      // What the broken watch would have told may be that the machine is gone.
      this.#question(slot, machine);
      await this.#pause(pollDelayMs(tries));
      tries += 1;
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      new Alarm(this.#core.deadlines, resolve).set(this.#core.now() + delayMs);
    });
  }

  /** Asks for every state that is due, as many at a time as a host may be asked. */
  #run(): void {
    if (this.#core.closing) return;
    this.#core.clocks.renew();
    const nowMs = this.#core.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const slot of this.#core.table.slots) {
      const { machine, watch } = slot;
      if (watch === undefined || machine === undefined || slot.isAsked) continue;
      if (slot.pollStep !== undefined && !this.#isRestless(slot, machine)) {
        // The beat counts from the last question, or the last news.
        this.#calm(slot, slot.pollAtMs - pollDelayMs(slot.pollStep));
      }
      if (slot.pollAtMs <= nowMs && slot.host.questions < QUESTIONS_AT_A_TIME) this.#question(slot, machine);
      // A host that is asked as much as it may be goes on when it has answered.
      else if (slot.pollAtMs > nowMs) nextMs = Math.min(nextMs, slot.pollAtMs);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#alarm.setNoLaterThan(nextMs);
  }

  #question(slot: Slot, machine: Machine): void {
    const { watch, host } = slot;
    if (watch === undefined || slot.isAsked || this.#core.closing) return;
    const { signal } = watch;
    const { generation } = machine;
    const before = slot.latestChange;
    slot.isAsked = true;
    host.questions += 1;
    this.#ask(slot, machine, Math.min(LONGEST_QUESTION_MS, this.#core.options.timeouts.probeTimeoutMs), signal)
      .then(
        (state) => {
          // Neither of an earlier generation, nor older than what an event told meanwhile, nor of one whose reset is under way.
          const isNews = machine.generation === generation && slot.latestChange === before;
          if (signal.aborted || !isNews || slot.runningSinceMs === undefined) return;
          this.#changed(slot, machine, { state, reason: 'asked for', generation });
        },
        (error: unknown) => {
          if (signal.aborted) return;
          if (isWarmvmError(error, 'WARMVM_HOST_LOST')) this.#core.hostLost(host, error, slot.epoch);
          else if (isWarmvmError(error, 'WARMVM_MACHINE_GONE')) this.#core.machineLost(slot, goneError(machine, error));
          // A machine without an answer may live. It may also be frozen: it must prove itself before it is lent.
          else this.#core.doubted(slot);
        },
      )
      .finally(() => {
        slot.isAsked = false;
        host.questions -= 1;
        if (!signal.aborted) this.#scheduleNext(slot, machine);
        this.#run();
      })
      .catch((error: unknown) => this.#core.machineLost(slot, error));
  }

  #scheduleNext(slot: Slot, machine: Machine): void {
    const nowMs = this.#core.now();
    if (!this.#isRestless(slot, machine)) {
      this.#calm(slot, nowMs);
      return;
    }
    slot.pollStep = slot.pollStep === undefined ? 0 : slot.pollStep + 1;
    slot.pollAtMs = nowMs + pollDelayMs(slot.pollStep);
  }

  #calm(slot: Slot, sinceMs: number): void {
    const { checkStateEveryMs, random } = this.#core.options;
    slot.pollStep = undefined;
    slot.pollAtMs = sinceMs + checkStateEveryMs * (1 - 0.1 * random());
  }

  /** Whether the machine is about to change, or may have changed without an event. */
  #isRestless(slot: Slot, machine: Machine): boolean {
    if (!slot.isHeard || !slot.host.driver.capabilities.stateEvents || slot.state === 'settling') return true;
    // The reset itself says how it goes.
    if (slot.state === 'resetting') return false;
    const { latestChange } = slot;
    return latestChange?.generation !== machine.generation || latestChange.state !== 'running';
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
    else if (slot.pollStep === undefined) this.stirred(slot, this.#core.now());
    const kind = slot.phase?.kind;
    // While it is being made or reset a machine may well stop and start; that is judged when it is about to be ready.
    if (kind === 'ready' ? isUnfitToLend(change) : kind === 'leased' && isDead(change)) {
      this.#core.machineLost(slot, crashedError(machine, change));
    }
  }
}

function pollDelayMs(step: number): number {
  return POLL_DELAYS_MS[Math.min(step, POLL_DELAYS_MS.length - 1)]!;
}
