import { scaleLinear, scaleLog } from 'd3-scale';
import { type AnyUnit, quantity } from '../quantity.ts';

/** A mark on an axis: where, as a share of its length, and what is written there. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** A horizontal axis of any length: positions are shares from 0 to 1. */
export interface Axis {
  readonly kind: 'log' | 'linear';
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly Tick[];
  /** Values outside lie on the edge. */
  at(value: number): number;
}

/** From the least to the greatest value: beyond this a linear axis would press most samples into one corner. */
const WIDE = 12;
const LEAST = 1e-12;
const GREATEST = 1e18;
const MOST_TICKS = 6;
/** Share of the length that a label needs on a phone. */
const LABEL_ROOM = 0.15;
/** The same in a column beside a number. */
const NARROW_LABEL_ROOM = 0.24;
/** Share of the length that stays free on both sides. */
const MARGIN = 0.035;

/** An axis on which all values have a place. @throws RangeError without values */
export function axisOf(values: readonly number[], unit: AnyUnit): Axis {
  if (values.length === 0) throw new RangeError('an axis needs at least one value');
  const shown = values.map(measurable);
  const positive = shown.filter((value) => value > 0);
  const least = extreme(positive, Math.min);
  const greatest = extreme(positive, Math.max);
  const hasNegative = shown.some((value) => value < 0);
  if (positive.length === 0 || hasNegative || greatest / least <= WIDE) return linearAxis(shown, unit);
  return logAxis(least, greatest, positive.length < shown.length, unit);
}

/** A logarithmic axis with 1 on it, for how many times as good as something. */
export function timesAxis(values: readonly number[]): Axis {
  const all = [0.5, 4, ...values.map(measurable).filter((value) => value > 0)];
  return logAxis(extreme(all, Math.min), extreme(all, Math.max), false, 'ratio', NARROW_LABEL_ROOM);
}

/** A logarithmic axis around 1, for ratios: both directions have the same room. */
export function ratioAxis(values: readonly number[], least: number): Axis {
  const factors = values
    .map(measurable)
    .filter((value) => value > 0)
    .map((value) => Math.max(value, 1 / value));
  const reach = extreme([least, ...factors], Math.max);
  return logAxis(1 / reach, reach, false, 'ratio');
}

/** An axis from zero, for lengths that are added up. */
export function lengthAxis(longest: number, unit: AnyUnit): Axis {
  const scale = scaleLinear([0, longest > 0 ? longest : 1], [0, 1]);
  return {
    kind: 'linear',
    low: 0,
    high: longest,
    at: (value) => clamp(scale(value)),
    ticks: labelled(scale.ticks(4), scale, unit),
  };
}

/** No clock measures less and no count is more; a file may say so nevertheless, and gets a picture all the same. */
function measurable(value: number): number {
  return Math.abs(value) < LEAST ? 0 : Math.min(GREATEST, Math.max(-GREATEST, value));
}

function linearAxis(values: readonly number[], unit: AnyUnit): Axis {
  const least = extreme(values, Math.min);
  const greatest = extreme(values, Math.max);
  const room = (greatest - least || Math.abs(greatest) || 1) * (greatest === least ? 0.5 : MARGIN);
  const low = least >= 0 ? Math.max(0, least - room) : least - room;
  const high = greatest + room;
  const scale = scaleLinear([low, high], [0, 1]);
  return {
    kind: 'linear',
    low,
    high,
    at: (value) => clamp(scale(value)),
    ticks: labelled(scale.ticks(5), scale, unit),
  };
}

function logAxis(least: number, greatest: number, hasZero: boolean, unit: AnyUnit, room = LABEL_ROOM): Axis {
  const margin = (greatest / least) ** MARGIN;
  const low = hasZero ? least / margin ** 3 : least / margin;
  const high = greatest * margin;
  const scale = scaleLog([low, high], [0, 1]);
  const ticks = labelled(logTicks(low, high), scale, unit, room);
  return {
    kind: 'log',
    low,
    high,
    at: (value) => (value > 0 ? clamp(scale(value)) : 0),
    ticks: hasZero ? [{ at: 0, label: quantity(0, unit) }, ...ticks.filter(({ at }) => at > LABEL_ROOM)] : ticks,
  };
}

/** Powers of ten, with 2 and 5 between them, or 3, where there is room. */
function logTicks(low: number, high: number): readonly number[] {
  const decades = Math.log10(high / low);
  if (decades < 0.7) return scaleLinear([low, high], [0, 1]).ticks(6);
  const steps = decades < 1.8 ? [1, 2, 5] : decades < 3 ? [1, 3] : [1];
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const all = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  const ticks = all.flatMap((power) => steps.map((step) => step * power));
  return thin(ticks.filter((value) => value >= low && value <= high).map((value) => Number(value.toPrecision(6))));
}

/** Ticks that have room for their labels, on a phone too; 1 always has its own, since ratios are read from there. */
function labelled(
  values: readonly number[],
  scale: (value: number) => number,
  unit: AnyUnit,
  room = LABEL_ROOM,
): readonly Tick[] {
  const ticks: Tick[] = [];
  const one = unit === 'ratio' && values.includes(1) ? scale(1) : null;
  for (const value of values) {
    const at = scale(value);
    if (at < 0 || at > 1) continue;
    if (ticks.some((tick) => Math.abs(tick.at - at) < room)) continue;
    if (one !== null && at !== one && Math.abs(one - at) < room) continue;
    ticks.push({ at, label: quantity(value, unit) });
  }
  return ticks;
}

function thin(values: readonly number[]): readonly number[] {
  const every = Math.ceil(values.length / MOST_TICKS);
  return values.filter((_, index) => index % every === 0);
}

/** Math.min and Math.max take no more arguments than the stack has room for. */
function extreme(values: readonly number[], choose: (left: number, right: number) => number): number {
  return values.reduce((left, right) => choose(left, right), values[0] ?? Number.NaN);
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}
