import { type Better, type Figure, significant, summarize, type Unit } from '../result/figure.ts';
import type { Ladder, Stage } from '../result/ladder.ts';
import type { Ratio, Recording } from '../result/suite-result.ts';
import { medianInterval, oneBlock, ratioInterval } from '../statistics/bootstrap.ts';
import { percentile } from '../statistics/percentile.ts';

/** Where more of it is an improvement. */
const HIGHER_IS_BETTER: readonly Unit[] = ['calls/s', 'machines/min'];

/** Takes note of samples, ratios and facts while a suite runs. */
export class Recorder {
  readonly #samples = new Map<string, { readonly unit: Unit; readonly values: number[] }>();
  readonly #groups = new Map<string, string>();
  readonly #ladders = new Map<string, Map<Stage, number[]>>();
  readonly #ratios: Record<string, Ratio> = {};
  readonly #facts: Record<string, string | number> = {};
  readonly #caveats: string[] = [];

  /** @throws TypeError for a figure that has been recorded in another unit */
  add(figure: string, value: number, unit: Unit = 'ms'): void {
    const known = this.#samples.get(figure);
    if (known === undefined) this.#samples.set(figure, { unit, values: [value] });
    else if (known.unit === unit) known.values.push(value);
    else throw new TypeError(`figure '${figure}' is in ${known.unit}, got a sample in ${unit}`);
  }

  /** Says that figures belong into one picture. */
  group(name: string, figures: readonly string[]): void {
    for (const figure of figures) this.#groups.set(figure, name);
  }

  /**
   * One machine's or one turn's time in every stage of a path, in milliseconds.
   * @throws TypeError when the path has been recorded with other stages: their samples would belong to different turns
   */
  stages(path: string, stages: Readonly<Partial<Record<Stage, number>>>): void {
    const names = Object.keys(stages) as Stage[];
    let ladder = this.#ladders.get(path);
    if (ladder === undefined) {
      ladder = new Map(names.map((name) => [name, []]));
      this.#ladders.set(path, ladder);
    }
    if (names.length !== ladder.size || names.some((name) => !ladder.has(name))) {
      throw new TypeError(`'${path}' has the stages ${[...ladder.keys()]}, got a sample of ${names}`);
    }
    for (const name of names) ladder.get(name)!.push(stages[name]!);
  }

  fact(name: string, value: string | number): void {
    this.#facts[name] = value;
  }

  /** What weakens the figures, as a sentence. */
  caveat(sentence: string): void {
    if (!this.#caveats.includes(sentence)) this.#caveats.push(sentence);
  }

  /** The median of a figure. @throws RangeError when it has no samples */
  p50(figure: string): number {
    return percentile(this.#of(figure), 0.5);
  }

  /** Divides one median by another. @throws RangeError when either figure has no samples */
  ratio(name: string, figure: string, reference: string): void {
    const interval = ratioInterval(oneBlock(this.#of(figure)), oneBlock(this.#of(reference)));
    this.#ratios[name] = {
      value: significant(this.p50(figure) / this.p50(reference)),
      figure,
      reference,
      method: 'medians',
      ...bounds(interval),
    };
  }

  /**
   * The median of the quotients of two figures, sample by sample: for figures taken in turns where what disturbs one round
   * disturbs both, and rounds differ by more than the figures do.
   * @throws RangeError when the figures differ in their number of samples, or have none
   */
  pairedRatio(name: string, figure: string, reference: string): void {
    const values = this.#of(figure);
    const references = this.#of(reference);
    if (values.length !== references.length) {
      throw new RangeError(`'${figure}' has ${values.length} samples, '${reference}' has ${references.length}`);
    }
    const quotients = values.map((value, index) => value / references[index]!);
    this.#ratios[name] = {
      value: significant(percentile(quotients, 0.5)),
      figure,
      reference,
      method: 'pairs',
      ...bounds(medianInterval(quotients)),
    };
  }

  result(): Recording {
    return {
      figures: Object.fromEntries([...this.#samples.keys()].map((name) => [name, this.#figure(name)])),
      ladders: Object.fromEntries([...this.#ladders].map(([path, stages]) => [path, ladderOf(stages)])),
      ratios: { ...this.#ratios },
      facts: { ...this.#facts },
      caveats: [...this.#caveats],
    };
  }

  #of(figure: string): readonly number[] {
    return this.#samples.get(figure)?.values ?? [];
  }

  #figure(name: string): Figure {
    const { unit, values } = this.#samples.get(name)!;
    const better: Better = HIGHER_IS_BETTER.includes(unit) ? 'higher' : 'lower';
    return summarize(values, { unit, better, group: this.#groups.get(name) ?? null });
  }
}

function ladderOf(stages: ReadonlyMap<Stage, readonly number[]>): Ladder {
  return Object.fromEntries([...stages].map(([stage, values]) => [stage, values.map(significant)]));
}

function bounds(interval: { readonly low: number; readonly high: number } | null): Pick<Ratio, 'low' | 'high'> {
  return interval === null
    ? { low: null, high: null }
    : { low: significant(interval.low), high: significant(interval.high) };
}
