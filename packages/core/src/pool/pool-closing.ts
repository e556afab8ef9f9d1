import { Alarm } from '../deadline/alarm.ts';
import type { CallOptions } from '../driver/call.ts';
import type { LeaseDesk } from './lease-desk.ts';
import type { CloseReport } from './pool.ts';
import type { PoolCore } from './pool-core.ts';
import { closedError } from './pool-errors.ts';
import { ReadyGate } from './ready-gate.ts';
import type { SlotDestroyer } from './slot-destroyer.ts';
import { countTotal } from './supply.ts';

/** Ends a pool: destroys what is not lent, revokes what is lent after a grace, and reports what it could not destroy. */
export class PoolClosing {
  readonly #core: PoolCore;
  readonly #desk: LeaseDesk;
  readonly #destroyer: SlotDestroyer;
  readonly #callers: ReadyGate;
  readonly #grace: Alarm;
  readonly #startedAtMs: number;
  #revoked: CloseReport['revoked'] = [];
  #report: CloseReport | undefined;

  constructor(core: PoolCore, desk: LeaseDesk, destroyer: SlotDestroyer) {
    this.#core = core;
    this.#desk = desk;
    this.#destroyer = destroyer;
    this.#callers = new ReadyGate(core.options.clock);
    this.#grace = new Alarm(core.deadlines, () => this.#revoke());
    this.#startedAtMs = core.now();
  }

  get done(): boolean {
    return this.#report !== undefined;
  }

  /** Sends away everything that is not lent; the core's scope has ended already. */
  begin(): void {
    for (const slot of [...this.#core.table.slots]) {
      const kind = slot.phase?.kind;
      if (kind === 'ready' || kind === 'settling' || kind === 'resetting') this.#core.destroy(slot);
    }
    this.#destroyer.retryAll();
  }

  /** Sets the end of the grace, or brings it forward. */
  grace(graceMs: number): void {
    if (this.done) return;
    if (graceMs === 0) this.#revoke();
    else this.#grace.setNoLaterThan(this.#core.now() + graceMs);
  }

  /** @throws the signal's reason */
  async wait(options: CallOptions): Promise<CloseReport> {
    options.signal?.throwIfAborted();
    if (this.#report === undefined) await this.#callers.wait(options.signal);
    return this.#report!;
  }

  /** Ends the closing when nothing is left that may still end by itself. */
  pump(): void {
    const { counts } = this.#core.table;
    if (this.done || countTotal(counts) > counts.quarantined) return;
    this.#grace.cancel();
    this.#report = {
      durationMs: this.#core.now() - this.#startedAtMs,
      revoked: this.#revoked,
      undestroyed: this.#destroyer.giveUp(),
    };
    this.#core.deadlines.clear();
    this.#core.hub.emit({ type: 'closed', report: this.#report });
    this.#core.hub.close();
    this.#callers.resolve();
  }

  #revoke(): void {
    this.#grace.cancel();
    this.#revoked = [...this.#revoked, ...this.#desk.revokeAll(closedError(this.#core.options.name))];
    this.#core.pump();
  }
}
