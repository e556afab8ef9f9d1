import { nearestName } from '../driver/nearest-name.ts';

/** The longest delay that `setTimeout` can keep, about 24.8 days; a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** Writes a value as an error message may show it: short, and never more than its outline. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

/**
 * @throws TypeError when it is not a number
 * @throws RangeError when it is not a whole number, or not between the bounds
 */
export function checkInteger(name: string, value: unknown, minimum: number, maximum: number): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${name} is ${describeValue(value)}; expected a whole number`);
  }
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new RangeError(`${name} is ${value}; expected a whole number from ${minimum} to ${maximum}`);
  }
  return value;
}

/**
 * Accepts milliseconds, fractions included; `Infinity` only where `unbounded` says so.
 * @throws TypeError when it is not a number
 * @throws RangeError when it is outside its bounds
 */
export function checkDurationMs(
  name: string,
  value: unknown,
  bounds: { readonly minimum: number; readonly unbounded?: boolean },
): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${name} is ${describeValue(value)}; expected a number of milliseconds`);
  }
  if (bounds.unbounded === true && value === Number.POSITIVE_INFINITY) return value;
  if (!(value >= bounds.minimum && value <= LONGEST_TIMER_MS)) {
    const also = bounds.unbounded === true ? ', or Infinity' : '';
    throw new RangeError(
      `${name} is ${value}; expected milliseconds from ${bounds.minimum} to ${LONGEST_TIMER_MS}${also}`,
    );
  }
  return value;
}

/** @throws TypeError when it is not one of the choices */
export function checkChoice<Choice extends string | boolean>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
): Choice {
  if (!choices.includes(value as Choice)) {
    const meant =
      typeof value === 'string'
        ? nearestName(
            value,
            choices.filter((choice) => typeof choice === 'string'),
          )
        : undefined;
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    throw new TypeError(
      `${name} is ${describeValue(value)}; expected ${choices.map(describeValue).join(' or ')}${hint}`,
    );
  }
  return value as Choice;
}

/** @throws TypeError when it is not a function */
export function checkFunction<Kind>(name: string, value: Kind, expected: string): Kind {
  if (typeof value !== 'function') {
    throw new TypeError(`${name} is ${describeValue(value)}; expected ${expected}`);
  }
  return value;
}

/** @throws TypeError when it is not an object with a function under each of the names */
export function checkMethods<Kind>(name: string, value: Kind, methods: readonly string[], expected: string): Kind {
  const record = value as Record<string | symbol, unknown> | null | undefined;
  if (typeof record !== 'object' || record === null) {
    throw new TypeError(`${name} is ${describeValue(value)}; expected ${expected}`);
  }
  for (const method of methods) {
    if (typeof record[method] !== 'function') {
      throw new TypeError(`${name}.${method} is ${describeValue(record[method])}; expected a function: ${expected}`);
    }
  }
  return value;
}

/** @throws TypeError when it is not an AbortSignal and not absent */
export function checkSignal(name: string, value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new TypeError(`${name} is ${describeValue(value)}; expected an AbortSignal`);
}

/** @throws TypeError when it is not an object, or names an option that does not exist */
export function checkCallOptions(name: string, value: object, known: readonly string[]): void {
  checkMethods(name, value, [], `an object of ${known.join(', ')}`);
  checkKeys(name, value, known);
}

/**
 * Refuses names that no option has, so that a slip of the pen does not pass for a default.
 * @throws TypeError naming the unknown key
 */
export function checkKeys(name: string, value: object, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      const meant = nearestName(key, known);
      const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`;
      throw new TypeError(`${name}.${key} is not an option; ${hint}`);
    }
  }
}
