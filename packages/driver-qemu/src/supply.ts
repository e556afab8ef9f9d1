import { type CallOptions, type OwnerTag, sleep, WarmvmError } from '@warmvm/core/driver';
import { requireUnchanged, type Template } from './golden/template.ts';
import type { Home } from './home/state-folder.ts';
import { Incarnation, type IncarnationPlace } from './incarnation.ts';
import type { Workshop } from './workshop.ts';

/** What a {@link Supply} is made of. */
export interface SupplyParts {
  readonly workshop: Workshop;
  readonly template: Template;
  /** Name of the template's folder. */
  readonly golden: string;
  /** Processes to keep waiting, and who answers for them. @default none */
  readonly standby?: { readonly count: number; readonly owner: OwnerTag };
}

/** Processes in a row that do not come to wait before the next claim has to ask again, and the time between. */
const START_ATTEMPTS = 5;
const RETRY_DELAY_MS = 200;

interface Waiting {
  /** Absent: it could not be started. */
  readonly incarnation: Incarnation | undefined;
  readonly home: Home;
}

/** One that a machine can take. */
interface Ready extends Waiting {
  readonly incarnation: Incarnation;
}

/**
 * Where the incarnations of one golden snapshot's machines come from: from processes that were started ahead, else anew. What was
 * taken is replaced behind the back of those who make machines: only while none of them is at work.
 */
export class Supply {
  readonly template: Template;
  readonly #parts: SupplyParts;
  readonly #waiting: Ready[] = [];
  /** What is to be removed, and is not yet. */
  readonly #leaving = new Set<Waiting>();
  #refilling: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(parts: SupplyParts) {
    this.template = parts.template;
    this.#parts = parts;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** An incarnation in its place, loaded or about to be. @throws WARMVM_GOLDEN_MISSING when the files were written to */
  async obtain(place: IncarnationPlace & Home, options: CallOptions): Promise<Incarnation> {
    await requireUnchanged(this.template);
    const taken = this.#waiting.shift();
    if (taken === undefined) return Incarnation.start(this.#parts.workshop, this.template, place, options);
    const { incarnation, home } = taken;
    try {
      const { state } = this.#parts.workshop;
      // Told before it is done: wherever this ends, the process is found by a mark.
      await state.update(place, { process: incarnation.mark });
      await incarnation.moveTo(place);
      await state.remove(home);
      return incarnation;
    } catch (error) {
      await this.#discard(taken).catch(() => {});
      throw error;
    } finally {
      this.refill();
    }
  }

  /** Starts as many as are missing, one after the other, each when nobody is at work. Never rejects: the next refill tries again. */
  refill(): void {
    this.#refilling ??= this.#refill()
      .catch(() => {})
      .finally(() => {
        this.#refilling = undefined;
      });
  }

  /** Ends all that wait, and starts none any more. @throws the first failure; the others are ended, and close may be repeated */
  async close(): Promise<void> {
    this.#closing.abort(thrownAway());
    await this.#refilling;
    for (const waiting of this.#waiting.splice(0)) this.#leaving.add(waiting);
    const ends = await Promise.allSettled([...this.#leaving].map((waiting) => this.#discard(waiting)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #refill(): Promise<void> {
    const { workshop, standby } = this.#parts;
    const { signal } = this.#closing;
    let failures = 0;
    while (standby !== undefined && !signal.aborted && this.#waiting.length < standby.count) {
      await workshop.rest();
      if (signal.aborted) return;
      try {
        await this.#startOne(standby.owner);
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === START_ATTEMPTS) throw error;
        await sleep(workshop.options.clock, failures * RETRY_DELAY_MS, signal);
      }
    }
  }

  async #startOne(owner: OwnerTag): Promise<void> {
    const { workshop, template, golden } = this.#parts;
    const { state } = workshop;
    const { digest } = template.manifest;
    const home = await state.create({ kind: 'standby', owner, generation: 0, digest, golden, process: null });
    let incarnation: Incarnation | undefined;
    try {
      const { signal } = this.#closing;
      incarnation = await Incarnation.start(workshop, template, { ...home, generation: 0 }, { signal });
      await state.update(home, { process: incarnation.mark });
      await incarnation.load({ signal });
    } catch (error) {
      await this.#discard({ incarnation, home }).catch(() => {});
      throw error;
    }
    const waiting = { incarnation, home };
    this.#waiting.push(waiting);
    void incarnation.qemu.process.ended.then(() => this.#replaceDead(waiting));
  }

  /** One that died while it waited is nobody's loss. */
  async #replaceDead(waiting: Ready): Promise<void> {
    const index = this.#waiting.indexOf(waiting);
    if (index === -1) return;
    this.#waiting.splice(index, 1);
    // What cannot be removed now is tried again when the supply closes.
    await this.#discard(waiting).catch(() => {});
    this.refill();
  }

  async #discard(waiting: Waiting): Promise<void> {
    this.#leaving.add(waiting);
    await waiting.incarnation?.end(thrownAway());
    await this.#parts.workshop.state.remove(waiting.home);
    this.#leaving.delete(waiting);
  }
}

function thrownAway(): WarmvmError {
  return new WarmvmError('WARMVM_MACHINE_GONE', 'a process that waited was not needed any more');
}
