import type { GoldenSnapshot, Machine } from '@warmvm/core/driver';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRig, owner, type Rig } from './fixtures/rig.ts';
import { fakeImage, type JournalEntry } from './index.ts';
import { nextMachineState } from './machine-state.ts';

type Command =
  | { readonly kind: 'prepare'; readonly abortAfterMs: number | null }
  | { readonly kind: 'fork'; readonly abortAfterMs: number | null }
  | { readonly kind: 'reset'; readonly machine: number; readonly abortAfterMs: number | null }
  | { readonly kind: 'dispose' | 'exec' | 'crash' | 'pause' | 'destroy'; readonly machine: number }
  | { readonly kind: 'advance'; readonly deltaMs: number }
  | { readonly kind: 'lose' | 'restore' };

const machine = fc.nat({ max: 3 });
const abortAfterMs = fc.option(fc.nat({ max: 12 }), { freq: 2 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('prepare', 'fork'), abortAfterMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fork' as const), abortAfterMs }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('reset' as const), machine, abortAfterMs }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('dispose', 'exec', 'crash', 'pause', 'destroy'), machine }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('advance' as const), deltaMs: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('lose', 'restore') }) },
);

/** Plays commands without waiting for their calls, which then overlap. */
class Player {
  readonly #rig: Rig;
  readonly #machines: Machine[] = [];
  readonly #calls: PromiseLike<unknown>[] = [];
  #golden: GoldenSnapshot | undefined;

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  /** Prepares the golden snapshot and forks one machine, so that commands have something to act on. */
  async begin(): Promise<void> {
    const { signal } = new AbortController();
    await this.#rig.run(this.#prepare(signal));
    await this.#rig.run(this.#fork(signal));
  }

  async play(played: Command): Promise<void> {
    const { host, clock } = this.#rig;
    switch (played.kind) {
      case 'advance':
        return clock.advance(played.deltaMs);
      case 'lose':
      case 'restore':
        return host[played.kind]();
      case 'prepare':
        return this.#call(this.#prepare(this.#signal(played.abortAfterMs)));
      case 'fork':
        return this.#call(this.#fork(this.#signal(played.abortAfterMs)));
      case 'reset':
        return this.#call(this.#machines[played.machine]?.reset({ signal: this.#signal(played.abortAfterMs) }));
      case 'dispose':
        return this.#call(this.#machines[played.machine]?.[Symbol.asyncDispose]());
      case 'exec':
        return this.#call(this.#machines[played.machine]?.guest.exec(['sleep', '0.02']));
      default:
        return this.#inflict(played.kind, this.#machines[played.machine]);
    }
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    this.#golden = await this.#rig.driver.prepare(fakeImage(), { owner, signal });
  }

  async #fork(signal: AbortSignal): Promise<void> {
    if (this.#golden === undefined) return;
    this.#machines.push(await this.#rig.driver.fork(this.#golden, { owner, signal }));
  }

  #inflict(happening: 'crash' | 'pause' | 'destroy', victim: Machine | undefined): void {
    if (victim === undefined) return;
    try {
      this.#rig.host[happening](victim.id);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
  }

  /** Resolves when every call has settled. */
  async settled(): Promise<void> {
    await this.#rig.run(Promise.allSettled(this.#calls));
  }

  #call(call: PromiseLike<unknown> | undefined): void {
    if (call === undefined) return;
    call.then(undefined, () => {});
    this.#calls.push(call);
  }

  #signal(afterMs: number | null): AbortSignal {
    const controller = new AbortController();
    if (afterMs !== null)
      this.#rig.clock.setTimer(() => controller.abort(new Error('given up')), afterMs, { hold: false });
    return controller.signal;
  }
}

/** Each object is marked as long as it exists; states follow each other as the table allows; generations only grow. */
function checkHistory(entries: readonly JournalEntry[]): void {
  const marked = new Set<string>();
  const last = new Map<string, { state: string; generation: number }>();
  const events = ['started', 'paused', 'resumed', 'crashed', 'shut-down', 'reverting', 'destroying'] as const;
  for (const entry of entries) {
    if (entry.kind !== 'fact' || entry.id === null) continue;
    if (entry.fact === 'mark-written') marked.add(entry.id);
    else expect(marked).toContain(entry.id);
    if (entry.fact === 'mark-removed') marked.delete(entry.id);
    if (entry.state === null || entry.generation === null) continue;
    const before = last.get(entry.id);
    if (before !== undefined && entry.fact === 'state-changed') {
      const legal = events.map((event) => nextMachineState(before.state as 'running', event));
      expect(legal).toContain(entry.state);
      expect(entry.generation - before.generation).toBeGreaterThanOrEqual(0);
    }
    last.set(entry.id, { state: entry.state, generation: entry.generation });
  }
}

test('whatever is called, aborted, lost or crashed in whatever order, dispose leaves nothing and every call settles', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      const rig = createRig();
      const player = new Player(rig);
      await player.begin();
      for (const played of commands) await player.play(played);
      await player.settled();
      rig.host.restore();
      await rig.run(rig.driver[Symbol.asyncDispose]());
      // What a broken connection left carries the mark, and is found by it.
      const sweeper = createRig({ on: rig });
      for (const record of await sweeper.records()) await sweeper.run(sweeper.driver.remove(record));
      expect(rig.host.objects().total).toBe(0);
      if (!commands.some(({ kind }) => kind === 'lose')) {
        const removals = rig.host
          .journal()
          .filter((entry) => entry.kind === 'call-begun' && entry.operation === 'remove');
        expect(removals).toEqual([]);
      }
      checkHistory(rig.host.journal());
      expect(rig.clock.holdingTimers).toBe(0);
    }),
    { numRuns: 150, endOnFailure: true },
  );
});

test('the same commands give the same journal', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 20 }), async (commands) => {
      const journals = [createRig(), createRig()].map(async (rig) => {
        const player = new Player(rig);
        await player.begin();
        for (const played of commands) await player.play(played);
        await player.settled();
        return rig.host.journal();
      });
      const [first, second] = await Promise.all(journals);
      expect(first).toEqual(second);
    }),
    { numRuns: 30 },
  );
});
