import { guardedCall } from '../call/guarded-call.ts';
import type { Machine } from '../driver/machine.ts';
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

  constructor(core: PoolCore, parts: SlotAdopterParts) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Whether the machine, which nobody has a hold on any more, is of use to this pool, which lacks one and has room for it there. */
  wants(host: PoolHost, record: MachineRecord): boolean {
    const { options, counts, demand, closing } = this.#core;
    if (!options.adopts || !host.resettable || closing || record.state !== 'running') return false;
    if (host.health.state !== 'up' || host.free <= 0) return false;
    return record.digest === options.image.digest && creationsWanted(counts, demand, 0) > 0;
  }

  /** Takes it over; the slot is on its way through a reset when this resolves. */
  async adopt(host: PoolHost, record: MachineRecord): Promise<AdoptOutcome> {
    const { table, deadlines, options, counters } = this.#core;
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
        scope: host.scope,
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
    host.adopted.add(record.id);
    // Every lease but the latest was followed by a reset, so no turn was ever beyond the generation.
    slot.turn = machine.generation;
    slot.uses = machine.generation;
    slot.retireAtMs = this.#core.now() + options.maxAgeMs * (1 - 0.1 * options.random());
    cleaner.add(slot, machine);
    watcher.begin(slot, machine);
    this.#core.pump();
    return 'adopted';
  }
}
