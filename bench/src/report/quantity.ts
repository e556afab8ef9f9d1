import type { Unit } from '../result/figure.ts';

/** Units of verdicts: ratios have none. */
export type AnyUnit = Unit | 'ratio';

type Scale = readonly (readonly [from: number, divisor: number, name: string])[];

const SCALES: Readonly<Record<AnyUnit, Scale>> = {
  ms: [
    [120_000, 60_000, ' min'],
    [1_000, 1_000, ' s'],
    [1, 1, ' ms'],
    [1e-3, 1e-3, ' µs'],
    [0, 1e-6, ' ns'],
  ],
  bytes: [
    [2 ** 30, 2 ** 30, ' GiB'],
    [2 ** 20, 2 ** 20, ' MiB'],
    [10_000, 2 ** 10, ' KiB'],
    [0, 1, ' B'],
  ],
  'calls/s': [
    [1e6, 1e6, ' M/s'],
    [1e3, 1e3, ' k/s'],
    [0, 1, '/s'],
  ],
  'machines/min': [[0, 1, '/min']],
  count: [[0, 1, '']],
  ratio: [[0, 1, '×']],
};

/** A value as people read it: three significant digits, and the unit that fits. */
export function quantity(value: number, unit: AnyUnit): string {
  if (value === 0) return unit === 'ms' ? '0 ms' : `0${SCALES[unit].at(-1)![2]}`;
  const rounded = Math.abs(Number(value.toPrecision(3)));
  const [, divisor, name] = SCALES[unit].find(([from]) => rounded >= from)!;
  return `${plain(value / divisor)}${name}`;
}

/** Three significant digits, never with an exponent; thousands are set apart. */
export function plain(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** A ratio as a change: `+12 %`, `−8.1 %`; as `4.2×` where a percentage would be hard to read. */
export function change(ratio: number): string {
  if (ratio >= 3 || ratio <= 0) return `${plain(ratio)}×`;
  const percent = (ratio - 1) * 100;
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  const text = Math.abs(percent).toFixed(digits);
  if (Number(text) === 0) return '0 %';
  return `${percent < 0 ? '−' : '+'}${text} %`;
}

/** How many times as good as its floor, in words. */
export function timesFloorWords(timesFloor: number): string {
  if (timesFloor >= 1) return `${plain(timesFloor)}× better than the floor`;
  return timesFloor > 0 ? `${plain(1 / timesFloor)}× short of the floor` : 'far short of the floor';
}

/** A date in words and UTC, the same on every computer. */
export function moment(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
  return `${day}, ${date.toISOString().slice(11, 16)} UTC`;
}
