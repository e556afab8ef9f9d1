import { refusedAt, type Setting } from './read-config.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
/** More than a timer of this process can wait for. */
const LONGEST_MS: number = 2 ** 31 - 1;

/** The first argument. @throws WARMVM_NOT_SUPPORTED where there is none */
export function wordOf(setting: Setting): string {
  const [word] = setting.line.words;
  if (word === undefined || word === '') throw refusedAt(setting, `has no value for ${setting.line.keyword}`);
  return word;
}

/** A time as OpenSSH writes it: `90`, `1m30s`, `2h`. Undefined for `none`. */
export function durationMs(setting: Setting): number | undefined {
  const word = wordOf(setting);
  if (word === 'none') return undefined;
  const parts = [...word.matchAll(/(\d{1,10})([smhdw]?)/gi)];
  if (parts.map(([part]) => part).join('') !== word) {
    throw refusedAt(setting, `has the time ${word}, expected seconds or a time such as 1m30s`);
  }
  const seconds = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (SECONDS[(unit || 's').toLowerCase()] ?? 1),
    0,
  );
  return Math.min(seconds * 1_000, LONGEST_MS);
}

/** A whole number within bounds. */
export function wholeNumberOf(setting: Setting, least: number, most: number): number {
  const word = wordOf(setting);
  const value = /^\d{1,10}$/.test(word) ? Number(word) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw refusedAt(setting, `has ${word} for ${setting.line.keyword}, expected a number from ${least} to ${most}`);
}

/** `yes` or `no`, or one of these words as what it stands for. */
export function choiceOf<Value>(setting: Setting, words: Readonly<Record<string, Value>>): Value {
  const word = wordOf(setting).toLowerCase();
  if (Object.hasOwn(words, word)) return words[word] as Value;
  const expected = Object.keys(words).join(', ');
  throw refusedAt(setting, `has ${word} for ${setting.line.keyword}, expected one of ${expected}`);
}

export const YES_NO: Readonly<Record<string, boolean>> = { yes: true, true: true, no: false, false: false };
