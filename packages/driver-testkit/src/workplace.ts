import { randomUUID } from 'node:crypto';
import type {
  Clock,
  Driver,
  ForkOptions,
  GoldenSnapshot,
  Machine,
  MachineRecord,
  OwnerTag,
  PrepareProgress,
} from '@warmvm/core/driver';
import type { ParsedSubject } from './subject.ts';

/** An owner tag that nobody had before. */
export function newOwner(
  subject: ParsedSubject,
  pool: string = `${subject.poolPrefix}${randomUUID().slice(0, 8)}`,
): OwnerTag {
  return { pool, instance: randomUUID(), process: subject.process };
}

/** Where a {@link Workplace} is. */
export interface WorkplacePlan {
  readonly subject: ParsedSubject;
  readonly clock: Clock;
  /** @default one that nobody had before */
  readonly owner?: OwnerTag;
}

/** A driver, an owner, and a golden snapshot that is made when first asked for. */
export class Workplace {
  readonly driver: Driver;
  readonly owner: OwnerTag;
  /** What `prepare` told of its work, in order. */
  readonly progress: PrepareProgress[] = [];
  readonly #plan: WorkplacePlan;
  #golden: Promise<GoldenSnapshot> | undefined;
  #goldenSinceMs = 0;
  #machine: Promise<Machine> | undefined;

  constructor(plan: WorkplacePlan, driver: Driver) {
    this.#plan = plan;
    this.driver = driver;
    this.owner = plan.owner ?? newOwner(plan.subject);
  }

  static async create(plan: WorkplacePlan): Promise<Workplace> {
    return new Workplace(plan, await plan.subject.create());
  }

  /** The golden snapshot of the subject's image; made once. */
  golden(): Promise<GoldenSnapshot> {
    this.#golden ??= this.#prepare();
    return this.#golden;
  }

  /** How long ago the golden snapshot was made. In milliseconds. */
  async goldenAgeMs(): Promise<number> {
    await this.golden();
    return this.#plan.clock.now() - this.#goldenSinceMs;
  }

  /** A new machine. Dispose of the workplace takes it too. */
  async fork(options: Partial<ForkOptions> = {}): Promise<Machine> {
    return this.driver.fork(await this.golden(), { owner: this.owner, ...options });
  }

  /** One machine for all who leave it as they found it. */
  machine(): Promise<Machine> {
    this.#machine ??= this.fork();
    return this.#machine;
  }

  list(): Promise<readonly MachineRecord[]> {
    return this.driver.list(this.owner);
  }

  async recordOf(machine: Machine): Promise<MachineRecord | undefined> {
    return (await this.list()).find(({ id }) => id === machine.id);
  }

  async #prepare(): Promise<GoldenSnapshot> {
    const { subject, clock } = this.#plan;
    const onProgress = (step: PrepareProgress): number => this.progress.push(step);
    const golden = await this.driver.prepare(subject.goldenImage, { owner: this.owner, onProgress });
    this.#goldenSinceMs = clock.now();
    return golden;
  }

  /** Disposes the driver, and with it all that it made. */
  async close(): Promise<void> {
    await this.driver[Symbol.asyncDispose]();
  }
}
