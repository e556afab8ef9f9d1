import {
  type GoldenImage,
  type GoldenSnapshot,
  JoinedJobs,
  type OwnerTag,
  type PrepareProgress,
  WarmvmError,
} from '@warmvm/core/driver';
import type { Pace, RunningCall } from './calls.ts';
import type { DriverContext } from './context.ts';
import { hostLost } from './errors.ts';
import { bootGuest } from './guest-world.ts';
import type { HostGolden } from './host-store.ts';
import { checkImage } from './image-check.ts';
import { randomBytes, randomHex } from './random.ts';
import { mergeSignals } from './signals.ts';

type Listener = (progress: PrepareProgress) => void;

/** Makes golden snapshots; callers of one digest join one job. */
export class GoldenMaker {
  readonly #context: DriverContext;
  readonly #jobs = new JoinedJobs<GoldenSnapshot>();
  readonly #made = new Set<HostGolden>();
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(context: DriverContext) {
    this.#context = context;
  }

  /** Golden snapshots that this driver made and that may still be there. */
  get made(): readonly HostGolden[] {
    return [...this.#made];
  }

  forget(golden: HostGolden): void {
    this.#made.delete(golden);
  }

  /** The complete golden snapshot of this digest: the driver's own first, else any on the host. */
  find(digest: string): HostGolden | undefined {
    const all = [...this.#context.store.goldens.values()];
    const complete = all.filter(({ image, frozen }) => frozen !== null && image.digest === digest);
    return complete.find((golden) => this.#made.has(golden)) ?? complete[0];
  }

  /** Joins or starts the making; when it rejects, nothing of what this caller caused is left. */
  async prepare(
    call: RunningCall,
    image: GoldenImage,
    owner: OwnerTag,
    onProgress: Listener | undefined,
  ): Promise<GoldenSnapshot> {
    checkImage(image, this.#context.acceptUnrenewable);
    const { digest } = image;
    const listeners = this.#listeners.get(digest) ?? new Set();
    this.#listeners.set(digest, listeners);
    // One entry per caller, also when two callers share one function.
    const listener: Listener = (progress) => onProgress?.(progress);
    listeners.add(listener);
    try {
      return await this.#jobs.join(digest, call.signal, (signal) => this.#work(call, image, owner, signal));
    } finally {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(digest) === listeners) this.#listeners.delete(digest);
    }
  }

  async #work(call: RunningCall, image: GoldenImage, owner: OwnerTag, joined: AbortSignal): Promise<GoldenSnapshot> {
    const merged = mergeSignals([joined, call.connection.lost]);
    try {
      return await this.#make(image, owner, call.pace, merged.signal);
    } finally {
      merged.release();
    }
  }

  async #make(image: GoldenImage, owner: OwnerTag, pace: Pace, signal: AbortSignal): Promise<GoldenSnapshot> {
    const { host, store, parts, link, random } = this.#context;
    if (this.find(image.digest) !== undefined) {
      this.#report(image.digest, { step: 'reuse' });
      await pace.stage('mark', 0, signal);
      return this.#snapshot(image);
    }
    const id = host.nextId('golden');
    try {
      await pace.stage('mark', 0, signal);
      parts.mark(store, id, owner);
      const golden = store.addGolden(id, image);
      await this.#step('boot', 0.7, image, pace, signal);
      const world = bootGuest(image, randomBytes(random, 64));
      await this.#step('agent', 0.8, image, pace, signal);
      await this.#step('warm-up', 0.9, image, pace, signal);
      world.setGeneration(randomHex(random, 32));
      await this.#step('quiesce', 0.95, image, pace, signal);
      await this.#step('snapshot', 1, image, pace, signal);
      store.freezeGolden(golden, world);
      this.#made.add(golden);
      return this.#snapshot(image);
    } catch (error) {
      if (!link.down) parts.discard(store, id);
      else if (store.marks.has(id)) throw hostLost(host.name, { leftBehind: [id] }, error);
      throw error;
    }
  }

  async #step(
    step: 'boot' | 'agent' | 'warm-up' | 'quiesce' | 'snapshot',
    share: number,
    image: GoldenImage,
    pace: Pace,
    signal: AbortSignal,
  ): Promise<void> {
    this.#report(image.digest, { step });
    try {
      await pace.stage(step, share, signal);
    } catch (error) {
      if (signal.aborted || error instanceof WarmvmError || step === 'boot' || step === 'snapshot') throw error;
      throw new WarmvmError('WARMVM_GOLDEN_INVALID', `The guest of ${image.name} failed at ${step}`, {
        details: { digest: image.digest, step },
        cause: error,
      });
    }
  }

  #report(digest: string, progress: PrepareProgress): void {
    for (const listener of [...(this.#listeners.get(digest) ?? [])]) {
      try {
        listener(progress);
      } catch {
        // A listener is a guest here: what it throws must not spoil the snapshot.
      }
    }
  }

  #snapshot(image: GoldenImage): GoldenSnapshot {
    return Object.freeze({ digest: image.digest, host: this.#context.host.name, image });
  }
}
