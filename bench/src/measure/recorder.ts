import { percentile } from 'warmvm/measure';

/** What samples are counted in. */
export type Unit = 'ms' | 'calls/s' | 'bytes';

/** One measured figure with every sample, in the order in which they were taken. */
export interface Figure {
  readonly unit: Unit;
  readonly samples: readonly number[];
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What a suite has found out. */
export interface Recording {
  readonly figures: Readonly<Record<string, Figure>>;
  /** Figures of this one run against each other: what holds on any computer. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Which path was taken, what was proved, and versions of what was compared with. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** Takes note of samples, ratios and facts while a suite runs. */
export class Recorder {
  readonly #samples = new Map<string, { readonly unit: Unit; readonly values: number[] }>();
  readonly #ratios: Record<string, number> = {};
  readonly #facts: Record<string, string | number> = {};

  /** @throws TypeError for a figure that has been recorded in another unit */
  add(figure: string, value: number, unit: Unit = 'ms'): void {
    const known = this.#samples.get(figure);
    if (known === undefined) this.#samples.set(figure, { unit, values: [value] });
    else if (known.unit === unit) known.values.push(value);
    else throw new TypeError(`figure '${figure}' is in ${known.unit}, got a sample in ${unit}`);
  }

  fact(name: string, value: string | number): void {
    this.#facts[name] = value;
  }

  /** The median of a figure. @throws RangeError when it has no samples */
  p50(figure: string): number {
    return percentile(this.#samples.get(figure)?.values ?? [], 0.5);
  }

  /** Divides one median by another. @throws RangeError when either figure has no samples */
  ratio(name: string, figure: string, reference: string): void {
    this.#ratios[name] = significant(this.p50(figure) / this.p50(reference));
  }

  /**
   * The median of the quotients of two figures, sample by sample: for figures taken in turns where what disturbs one round
   * disturbs both, and rounds differ by more than the figures do.
   * @throws RangeError when the figures differ in their number of samples, or have none
   */
  pairedRatio(name: string, figure: string, reference: string): void {
    const values = this.#samples.get(figure)?.values ?? [];
    const references = this.#samples.get(reference)?.values ?? [];
    if (values.length !== references.length) {
      throw new RangeError(`'${figure}' has ${values.length} samples, '${reference}' has ${references.length}`);
    }
    const quotients = values.map((value, index) => value / references[index]!);
    this.#ratios[name] = significant(percentile(quotients, 0.5));
  }

  result(): Recording {
    const figures = [...this.#samples].map(([name, { unit, values }]) => [name, summarize(unit, values)] as const);
    return { figures: Object.fromEntries(figures), ratios: { ...this.#ratios }, facts: { ...this.#facts } };
  }
}

function summarize(unit: Unit, values: readonly number[]): Figure {
  const samples = values.map(significant);
  const at = (share: number): number => percentile(samples, share);
  return { unit, samples, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Clocks here resolve far less than five digits of anything. */
function significant(value: number): number {
  return Number(value.toPrecision(5));
}
