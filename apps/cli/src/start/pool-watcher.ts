import type { Clock, MachineId, Pool, PoolEvent } from '@warmvm/core';

/** An event with the moment it reached us, on the clock's scale. */
export interface SeenEvent {
  readonly event: PoolEvent;
  readonly seenAtMs: number;
}

interface Wait {
  readonly matches: (event: PoolEvent) => boolean;
  readonly resolve: (seen: SeenEvent) => void;
}

/** Follows a pool's events: who is ready now, and what has been waited for. */
export class PoolWatcher {
  readonly #clock: Clock;
  readonly #ready = new Set<MachineId>();
  readonly #waits = new Set<Wait>();

  constructor(pool: Pool, clock: Clock) {
    this.#clock = clock;
    void this.#follow(pool.events());
  }

  /** Machines that are ready to be lent. */
  get ready(): readonly MachineId[] {
    return [...this.#ready];
  }

  /** The first event from now on that matches. Ask before causing it. @throws the signal's reason */
  next(matches: (event: PoolEvent) => boolean, signal: AbortSignal): Promise<SeenEvent> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waits.delete(wait);
        reject(signal.reason);
      };
      const wait: Wait = {
        matches,
        resolve: (seen) => {
          signal.removeEventListener('abort', onAbort);
          resolve(seen);
        },
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waits.add(wait);
    });
  }

  /** The moment from now on at which a machine becomes ready. */
  becomesReady(machine: MachineId, signal: AbortSignal): Promise<SeenEvent> {
    return this.next(
      (event) => event.type === 'slot-changed' && event.machineId === machine && event.to === 'ready',
      signal,
    );
  }

  async #follow(events: AsyncIterable<PoolEvent>): Promise<void> {
    for await (const event of events) {
      const seenAtMs = this.#clock.now();
      if (event.type === 'slot-changed' && event.machineId !== null) {
        if (event.to === 'ready') this.#ready.add(event.machineId);
        else this.#ready.delete(event.machineId);
      }
      for (const wait of this.#waits) {
        if (!wait.matches(event)) continue;
        this.#waits.delete(wait);
        wait.resolve({ event, seenAtMs });
      }
    }
  }
}
