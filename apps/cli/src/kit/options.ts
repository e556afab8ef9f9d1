import { InvalidArgumentError } from 'commander';

/** Options of `warmvm kit`. */
export interface KitOptions {
  /** Name of a driver that comes with the program, path of a file, or name of a package. */
  readonly driver: string;
  /** Cases, clauses and groups; all when there is none. */
  readonly only?: readonly string[];
  /** Handed to the subject. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly lanes: number;
  /** By how much the kit's times are stretched. */
  readonly timeFactor: number;
  /** File to write the report to. */
  readonly report: string;
}

/** For the argument library. */
export function parseLanes(value: string): number {
  const lanes = Number(value);
  if (!Number.isInteger(lanes) || lanes < 1 || lanes > 64) {
    throw new InvalidArgumentError('expected a whole number from 1 to 64.');
  }
  return lanes;
}

/** For the argument library. */
export function parseTimeFactor(value: string): number {
  const factor = Number(value);
  if (!(factor > 0 && factor <= 1_000)) throw new InvalidArgumentError('expected a number above 0, at most 1000.');
  return factor;
}

/** For the argument library: `reset=revert`, as often as wanted. */
export function parsePair(pair: string, before: KitOptions['options']): KitOptions['options'] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
  if (name === undefined) throw new InvalidArgumentError('expected name=value.');
  return { ...before, [name]: value };
}
