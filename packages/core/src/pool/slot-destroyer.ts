import { Backoff } from '../backoff/backoff.ts';
import { Alarm } from '../deadline/alarm.ts';
import { WarmvmError } from '../driver/error.ts';
import type { Machine } from '../driver/machine.ts';
import type { Undestroyed } from './pool.ts';
import type { PoolCore } from './pool-core.ts';
import type { PoolHost } from './pool-host.ts';
import type { Slot } from './slot.ts';

interface Retry {
  readonly delays: Iterator<number, never>;
  readonly alarm: Alarm;
}

/**
 * Sends machines away. A slot is free only when its destroy has ended; one that fails or takes too long is quarantined:
 * it still counts, is tried again with a growing wait, and never a second time while the first try is under way.
 */
export class SlotDestroyer {
  readonly #core: PoolCore;
  readonly #retries = new Map<Slot, Retry>();

  constructor(core: PoolCore) {
    this.#core = core;
  }

  /** From whatever state the slot is in, with the machine it has. */
  begin(slot: Slot): void {
    const { machine } = slot;
    slot.watch?.abort();
    slot.watch = undefined;
    if (machine === undefined) throw new Error(`slot ${slot.id} has no machine to destroy`);
    this.#try(slot, machine, 1);
  }

  /** A fork was given up while the driver is at it: the slot counts until it settles. */
  awaitLate(slot: Slot): void {
    const { table, deadlines, options } = this.#core;
    table.move(slot, { kind: 'destroying', machine: undefined, attempts: 0 });
    const { moves } = slot;
    const alarm = new Alarm(deadlines, () => {
      if (slot.moves !== moves) return;
      const message = `slot ${slot.id}: a fork that was given up has not settled`;
      const error = new WarmvmError('WARMVM_FORK_FAILED', message);
      this.#quarantine(slot, undefined, 0, error);
    });
    alarm.set(this.#core.now() + options.timeouts.destroyTimeoutMs);
  }

  /** The fork that was given up settled, perhaps with a machine. */
  settleLate(slot: Slot, outcome: { readonly value: Machine } | { readonly error: unknown }): void {
    if ('value' in outcome) {
      this.#core.counters.created += 1;
      this.#try(slot, outcome.value, 1);
    } else this.#gone(slot);
  }

  /** Tries every quarantined slot once more, now: all there are, or those of one host. */
  retryAll(host?: PoolHost): void {
    for (const [slot, { alarm }] of [...this.#retries]) {
      // Without an alarm an attempt is under way, which must not be met by another.
      if (alarm.isSet && (host === undefined || slot.host === host)) this.#retry(slot);
    }
  }

  /** What is quarantined, for the report of close; no retry follows. */
  giveUp(): readonly Undestroyed[] {
    for (const retry of this.#retries.values()) retry.alarm.cancel();
    this.#retries.clear();
    const undestroyed: Undestroyed[] = [];
    for (const { phase, host } of this.#core.table.slots) {
      if (phase?.kind !== 'quarantined') continue;
      undestroyed.push({ host: host.name, machineId: phase.machine?.id ?? null, error: phase.error });
    }
    return undestroyed;
  }

  #try(slot: Slot, machine: Machine, attempts: number): void {
    this.#core.table.move(slot, { kind: 'destroying', machine, attempts });
    this.#attempt(slot, machine, attempts);
  }

  #attempt(slot: Slot, machine: Machine, attempts: number): void {
    const startedAtMs = this.#core.now();
    let givenUp = false;
    const failed = (error: unknown): void => {
      this.#core.counters.destroysFailed += 1;
      this.#core.phaseEnded('destroy', slot, startedAtMs, { error });
      this.#quarantine(slot, machine, attempts, error);
    };
    const done = (): void => {
      this.#core.counters.destroyed += 1;
      // A destroy that timed out or was repeated may have left its machine. So may one that the loss of the host ended: if
      // nothing else was on the host, the pool does not hear of that loss.
      if (givenUp || attempts > 1 || slot.host.total <= 1) slot.host.hasDestroyed = true;
      this.#core.phaseEnded('destroy', slot, startedAtMs);
      this.#gone(slot);
    };
    slot.host.snapshotReset
      .destroy(machine, {
        // In the same step, since the driver may settle before anybody who awaits this is told.
        givenUp: (error) => {
          givenUp = true;
          failed(error);
        },
        late: (outcome) => {
          if ('value' in outcome) done();
          else if (slot.phase?.kind === 'quarantined') this.#scheduleRetry(slot);
        },
      })
      .then(done, (error: unknown) => {
        if (givenUp) return;
        failed(error);
        this.#scheduleRetry(slot);
      });
  }

  #quarantine(slot: Slot, machine: Machine | undefined, attempts: number, error: unknown): void {
    const { table, hub } = this.#core;
    table.move(slot, { kind: 'quarantined', machine, attempts, error });
    hub.emit({ type: 'quarantined', host: slot.host.name, slot: slot.id, machineId: machine?.id ?? null, error });
    this.#core.pump();
  }

  #gone(slot: Slot): void {
    this.#retries.get(slot)?.alarm.cancel();
    this.#retries.delete(slot);
    this.#core.table.move(slot, undefined);
    this.#core.pump();
  }

  #scheduleRetry(slot: Slot): void {
    if (this.#core.closing) return;
    let retry = this.#retries.get(slot);
    if (retry === undefined) {
      const policy = Backoff.exponential({ baseMs: 1_000, capMs: 60_000 }, this.#core.options.random);
      const alarm = new Alarm(this.#core.deadlines, () => this.#retry(slot));
      retry = { delays: policy[Symbol.iterator](), alarm };
      this.#retries.set(slot, retry);
    }
    retry.alarm.set(this.#core.now() + retry.delays.next().value);
  }

  #retry(slot: Slot): void {
    this.#retries.get(slot)?.alarm.cancel();
    const { phase } = slot;
    if (phase?.kind === 'quarantined' && phase.machine !== undefined) {
      this.#try(slot, phase.machine, phase.attempts + 1);
    }
  }
}
