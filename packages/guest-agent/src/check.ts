/** What timers of Node can count to. */
export const LONGEST_TIMEOUT_MS: number = 2 ** 31 - 1;

/** @throws RangeError unless `value` is an integer from `least` to `most` */
export function requireInteger(
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${String(value)}`);
}

/** @throws TypeError unless `value` is a text that the guest's kernel can take: no NUL in it */
export function requireText(name: string, value: unknown): void {
  if (typeof value === 'string' && !value.includes('\0')) return;
  throw new TypeError(`${name} must be a string without a NUL character`);
}

/** @throws TypeError unless `value` is a non-empty text without NUL */
export function requireName(name: string, value: unknown): void {
  requireText(name, value);
  if (value === '') throw new TypeError(`${name} must not be empty`);
}
