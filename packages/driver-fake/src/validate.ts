/** @throws TypeError when the object is none or holds an option that is not known */
export function known(what: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${what} must be an object, got ${String(options)}`);
  }
  const stranger = Object.keys(options).find((name) => !names.includes(name));
  if (stranger !== undefined) throw new TypeError(`${what} has no option ${stranger}; it knows ${names.join(', ')}`);
}

/** A whole number that is at least `minimum`. @throws TypeError or RangeError otherwise */
export function atLeast(name: string, value: unknown, fallback: number, minimum: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`);
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new RangeError(`${name} must be a whole number of at least ${minimum}, got ${value}`);
  }
  return value;
}

/** A name of 1 to 64 characters. @throws TypeError or RangeError otherwise */
export function textOption(name: string, value: unknown, fallback: string): string {
  if (value === undefined) return fallback;
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, got ${typeof value}`);
  if (value.length === 0 || value.length > 64) {
    throw new RangeError(`${name} must have 1 to 64 characters, got ${value.length}`);
  }
  return value;
}

/** One of the values. @throws TypeError otherwise */
export function oneOf<Value extends string | boolean>(
  name: string,
  value: unknown,
  fallback: Value,
  values: readonly Value[],
): Value {
  if (value === undefined) return fallback;
  if (values.includes(value as Value)) return value as Value;
  throw new TypeError(`${name} must be one of ${values.join(', ')}, got ${String(value)}`);
}
