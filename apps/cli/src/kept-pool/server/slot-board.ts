import { percentile } from '@warmvm/bench';
import type { Clock, PoolEvent } from '@warmvm/core';
import type { Latency, SlotFacts } from '../protocol/messages.ts';

/** Times that are kept of each thing. */
const SAMPLES = 512;

interface Slot extends Omit<SlotFacts, 'sinceMs' | 'clientPid'> {
  readonly changedAtMs: number;
}

/** What the events of a pool tell about its slots and how long things take. Bounded, however long the pool is kept. */
export class SlotBoard {
  readonly #clock: Clock;
  readonly #slots = new Map<number, Slot>();
  readonly #times = new Map<string, { count: number; readonly lastMs: number[] }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(event: PoolEvent): void {
    if (event.type === 'slot-changed') {
      const { slot, host, to, machineId, generation, turn } = event;
      if (to === 'absent') this.#slots.delete(slot);
      else {
        this.#slots.set(slot, { slot, host, state: to, machineId, generation, turn, changedAtMs: this.#clock.now() });
      }
    } else if (event.type === 'acquire-settled') {
      if (event.outcome === 'warm' || event.outcome === 'waited') this.#note('acquire', event.waitedMs);
    } else if (event.type === 'phase-ended' && event.error === undefined) this.#note(event.phase, event.durationMs);
  }

  /** @param clients process that has the machine of each slot, as far as it is known */
  slots(clients: ReadonlyMap<number, number>): readonly SlotFacts[] {
    const nowMs = this.#clock.now();
    return [...this.#slots.values()]
      .map(({ changedAtMs, ...facts }) => ({
        ...facts,
        clientPid: clients.get(facts.slot) ?? null,
        sinceMs: nowMs - changedAtMs,
      }))
      .sort((left, right) => left.slot - right.slot);
  }

  latencies(): Readonly<Record<string, Latency>> {
    return Object.fromEntries([...this.#times].map(([name, { count, lastMs }]) => [name, latencyOf(count, lastMs)]));
  }

  #note(name: string, durationMs: number): void {
    const times = this.#times.get(name) ?? { count: 0, lastMs: [] };
    times.lastMs[times.count % SAMPLES] = durationMs;
    times.count += 1;
    this.#times.set(name, times);
  }
}

function latencyOf(count: number, lastMs: readonly number[]): Latency {
  return { count, p50Ms: percentile(lastMs, 0.5), p99Ms: percentile(lastMs, 0.99), maxMs: Math.max(...lastMs) };
}
