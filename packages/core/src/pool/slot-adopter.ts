import { guardedCall } from '../call/guarded-call.ts';
import type { Machine, MachineId } from '../driver/machine.ts';
import type { MachineRecord } from '../driver/owner.ts';
import type { PoolCore } from './pool-core.ts';
import { adoptTimeoutError } from './pool-errors.ts';
import type { PoolHost } from './pool-host.ts';
import type { SlotCleaner } from './slot-cleaner.ts';
import type { SlotDestroyer } from './slot-destroyer.ts';
import type { SlotWatcher } from './slot-watcher.ts';
import { creationsWanted } from './supply.ts';

/** What a {@link SlotAdopter} works with. */
export interface SlotAdopterParts {
  readonly cleaner: SlotCleaner;
  readonly destroyer: SlotDestroyer;
  readonly watcher: SlotWatcher;
}

/** How an adoption went. `refused`: nothing has changed, and the machine may be removed. */
export type AdoptOutcome = 'adopted' | 'refused' | 'given up';

/** Takes over machines of dead processes. Whether one was lent when its owner died nobody knows, so each is reset first. */
export class SlotAdopter {
  readonly #core: PoolCore;
  readonly #parts: SlotAdopterParts;
  readonly #adopted = new Set<MachineId>();

  constructor(core: PoolCore, parts: SlotAdopterParts) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Whether this pool took the machine over, once. */
  hasAdopted(id: MachineId): boolean {
    return this.#adopted.has(id);
  }

  /** Whether the machine, whose owner is dead, is of use to this pool, which lacks one. */
  wants(record: MachineRecord): boolean {
    const { options, table, demand, closing } = this.#core;
    if (!options.adopts || closing || record.state !== 'running') return false;
    return record.digest === options.image.digest && creationsWanted(table.counts, demand, 0) > 0;
  }

  /** Takes it over; the slot is on its way through a reset when this resolves. */
  async adopt(host: PoolHost, record: MachineRecord): Promise<AdoptOutcome> {
    const { table, deadlines, scope, options, counters } = this.#core;
    const { destroyer, cleaner, watcher } = this.#parts;
    const slot = table.add(host);
    const timeoutMs = options.timeouts.forkTimeoutMs;
    let givenUp = false;
    let machine: Machine;
    try {
      machine = await guardedCall((call) => host.driver.adopt(record, { ...call, owner: host.owner }), {
        deadlines,
        nowMs: this.#core.now(),
        timeoutMs,
        timeoutError: () => adoptTimeoutError(record, timeoutMs),
        scope,
        givenUp: () => {
          givenUp = true;
          destroyer.awaitLate(slot);
        },
        late: (outcome) => destroyer.settleLate(slot, outcome),
      });
    } catch {
      if (!givenUp) table.move(slot, undefined);
      this.#core.pump();
      return givenUp ? 'given up' : 'refused';
    }
    counters.created += 1;
    counters.adopted += 1;
    this.#adopted.add(record.id);
    // Every lease but the latest was followed by a reset, so no turn was ever beyond the generation.
    slot.turn = machine.generation;
    slot.uses = machine.generation;
    slot.retireAtMs = this.#core.now() + options.maxAgeMs * (1 - 0.1 * options.random());
    table.move(slot, { kind: 'resetting', machine });
    watcher.begin(slot, machine);
    cleaner.add(slot);
    this.#core.pump();
    return 'adopted';
  }
}
