import { Alarm } from '../deadline/alarm.ts';
import type { PoolCore } from './pool-core.ts';
import type { PoolHost } from './pool-host.ts';
import type { SlotAdopter } from './slot-adopter.ts';
import { sweep } from './sweep.ts';

/** How long the first creation waits for what is left of dead processes to be gone: more than a healthy host needs. */
const PATIENCE_MS = 10_000;

/** What comes before the first creation: what dead processes left is adopted or removed. */
export class PoolStart {
  readonly #core: PoolCore;
  readonly #host: PoolHost;
  readonly #adopter: SlotAdopter;
  #isDone: boolean;
  #goldensSwept: boolean;

  constructor(core: PoolCore, host: PoolHost, adopter: SlotAdopter) {
    this.#core = core;
    this.#host = host;
    this.#adopter = adopter;
    this.#isDone = !core.options.sweep;
    this.#goldensSwept = !core.options.sweep;
  }

  /** Whether the pool may be filled: the machines were swept, or that takes too long to wait for and goes on behind. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Never rejects; the pool is brought in line when it is done. */
  begin(): void {
    const done = (): void => {
      patience.cancel();
      this.#isDone = true;
      this.#core.pump();
    };
    const patience = new Alarm(this.#core.deadlines, done);
    if (this.#isDone) {
      this.#core.pump();
      return;
    }
    patience.set(this.#core.now() + PATIENCE_MS);
    sweep(this.#core, 'machine', this.#host, this.#adopter).then(done, done);
  }

  /** The pool's own golden snapshot is there: those of the dead may go, once. */
  goldenPrepared(): void {
    if (this.#goldensSwept) return;
    this.#goldensSwept = true;
    sweep(this.#core, 'golden', this.#host, this.#adopter).catch(() => {});
  }
}
