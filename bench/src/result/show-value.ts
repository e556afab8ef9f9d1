import { duration } from 'warmvm/measure';
import type { Unit } from './figure.ts';

/** A value for people: three digits, in the unit that fits. */
export function showValue(value: number, unit: Unit | 'ratio'): string {
  if (unit === 'ms') return duration(value);
  if (unit === 'bytes') return value < 2 ** 20 ? `${Math.round(value)} bytes` : `${short(value / 2 ** 20)} MiB`;
  if (unit === 'calls/s') return `${Math.round(value)}/s`;
  if (unit === 'machines/min') return `${short(value)}/min`;
  return short(value);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
