import { percentile } from '@warmvm/bench';

/** Statistics of one measured figure. */
export interface StageReport {
  /** Every sample in the order it was taken, in milliseconds. */
  readonly samplesMs: readonly number[];
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Collects samples by figure. Ids are those of the table of figures: `init`, `acquire`, `reset`, ... */
export class Samples {
  readonly #byId = new Map<string, number[]>();

  /** Adds one sample in milliseconds. */
  add(id: string, durationMs: number): void {
    const samples = this.#byId.get(id);
    if (samples === undefined) this.#byId.set(id, [durationMs]);
    else samples.push(durationMs);
  }

  /** The samples of a figure; empty when it was never measured. */
  of(id: string): readonly number[] {
    return this.#byId.get(id) ?? [];
  }

  report(): Readonly<Record<string, StageReport>> {
    return Object.fromEntries([...this.#byId].map(([id, samplesMs]) => [id, stageReport(samplesMs)]));
  }
}

function stageReport(samplesMs: readonly number[]): StageReport {
  return {
    samplesMs: samplesMs.map((sample) => Math.round(sample * 1000) / 1000),
    p50: rounded(percentile(samplesMs, 0.5)),
    p95: rounded(percentile(samplesMs, 0.95)),
    p99: rounded(percentile(samplesMs, 0.99)),
    max: rounded(percentile(samplesMs, 1)),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
