import { InvalidArgumentError } from 'commander';

/** For the argument library: `90`, `1.5s`, `200ms`, `10m` as milliseconds. */
export function parseDurationMs(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const durationMs = Math.round(Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 's']);
  if (number !== undefined && durationMs >= 1 && durationMs < 2 ** 31) return durationMs;
  throw new InvalidArgumentError('expected a time such as 90, 1.5s, 200ms or 10m.');
}

/** For the argument library: `NAME=value`, or `NAME` to take it from here; as often as wanted. */
export function parseVariable(
  pair: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)(?:=(.*))?$/s.exec(pair) ?? [];
  if (name === undefined) throw new InvalidArgumentError('expected NAME=value or NAME.');
  const taken = value ?? process.env[name];
  if (taken === undefined) throw new InvalidArgumentError(`${name} is not set here; expected NAME=value.`);
  return { ...before, [name]: taken };
}

/** For the argument library: an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** For the argument library: `268435456`, `256M` or `1G` as bytes. */
export function parseBytes(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:iB|B)?$/.exec(text) ?? [];
  const bytes = Number(number) * { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }[unit as 'M'];
  if (number !== undefined && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError('expected a size such as 512M or 2G.');
}

/** For the argument library: a whole number of at least so many. */
export function parseWhole(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text.trim() !== '' && Number.isSafeInteger(number) && number >= least) return number;
    throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
  };
}

/** For the argument library: a whole number of at least 1. */
export const parseCount: (text: string) => number = parseWhole(1);
