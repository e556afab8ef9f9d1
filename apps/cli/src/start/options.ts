import { InvalidArgumentError } from 'commander';

/** Options of `warmvm start`. */
export interface StartOptions {
  /** Which driver; `auto` takes QEMU itself where real machines are possible, else the fake. */
  readonly driver: 'auto' | 'qemu' | 'libvirt' | 'libvirt-ssh' | 'fake';
  /** The far host of `libvirt-ssh`, such as `qemu+ssh://user@host/system`. */
  readonly uri?: string;
  /** File to write the report to as JSON. */
  readonly json?: string;
  /** Cycles and kills to measure. */
  readonly samples: number;
}

/** For the argument library. */
export function parseSamples(value: string): number {
  const samples = Number(value);
  if (!Number.isInteger(samples) || samples < 1 || samples > 10_000) {
    throw new InvalidArgumentError('expected a whole number from 1 to 10000.');
  }
  return samples;
}
