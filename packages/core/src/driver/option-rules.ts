import { nearestName } from './nearest-name.ts';

/** What one option of a driver may be. */
export interface OptionRule {
  /** @throws TypeError, RangeError naming the option, its value and what was expected */
  readonly check: (name: string, value: unknown) => void;
  /** The same as JSON schema, for editors; null for what no JSON can hold, such as a function. */
  readonly schema: Readonly<Record<string, unknown>> | null;
}

/** The rules of all options of a driver: those of an interface, if it is given, so that none is forgotten. */
export type OptionRules<Options = Record<string, unknown>> = {
  readonly [Name in keyof Options & string]-?: OptionRule;
};

const LONGEST_VALUE = 80;
const LONGEST_SEARCHED = 4_096;

/** The mistake that an option is: `options.standby is -1, expected a whole number from 0 to 64`. */
export function optionMistake(
  kind: typeof TypeError | typeof RangeError,
  name: string,
  value: unknown,
  expected: string,
): Error {
  return new kind(`${name} is ${shown(value)}, expected ${expected}`);
}

/**
 * Refuses what is no object of known options. A word that is spelled wrong would otherwise change nothing, and nobody would know.
 * @throws TypeError that names the first that is unknown, and the one that was probably meant
 */
export function requireKnownOptions(
  value: unknown,
  names: readonly string[],
  name = 'options',
): asserts value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw optionMistake(TypeError, name, value, 'an object');
  }
  const unknown = Object.keys(value).find((key) => !names.includes(key));
  if (unknown !== undefined) throw new TypeError(`${name}.${unknown} ${unknownName(unknown, names)}`);
}

/** What is to be said of a name that nothing has: `is unknown; did you mean standby?` */
export function unknownName(name: string, names: readonly string[]): string {
  const meant = nearestName(name, names);
  if (meant !== undefined) return `is unknown; did you mean ${meant}?`;
  return `is unknown, expected ${names.length === 1 ? 'only' : 'one of'} ${names.join(', ')}`;
}

/**
 * Holds options against their rules; one that is absent or undefined is fine.
 * @throws TypeError, RangeError naming the option, its value and what was expected; TypeError for an option that is unknown
 */
export function checkOptions(options: unknown, rules: OptionRules, name = 'options'): void {
  requireKnownOptions(options, Object.keys(rules), name);
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined) rules[key]?.check(`${name}.${key}`, value);
  }
}

/** Rules as JSON schema, without those options that no JSON can hold. */
export function optionsSchema(rules: OptionRules): Readonly<Record<string, unknown>> {
  const properties = Object.entries(rules).flatMap(([name, { schema }]) => (schema === null ? [] : [[name, schema]]));
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}

/** A whole number within bounds. */
export function wholeNumber(least: number, most: number): OptionRule {
  return {
    check(name, value) {
      const expected = `a whole number from ${least} to ${most}`;
      if (typeof value !== 'number') throw optionMistake(TypeError, name, value, expected);
      if (!Number.isInteger(value) || value < least || value > most) {
        throw optionMistake(RangeError, name, value, expected);
      }
    },
    schema: { type: 'integer', minimum: least, maximum: most },
  };
}

/** A text that matches; `expected` says for people what that means. */
export function textLike(pattern: RegExp, expected: string): OptionRule {
  return {
    check(name, value) {
      if (typeof value !== 'string') throw optionMistake(TypeError, name, value, expected);
      if (!pattern.test(value)) throw optionMistake(RangeError, name, value, expected);
    },
    schema: { type: 'string', pattern: pattern.source, description: expected },
  };
}

/** One of these words. */
export function oneOf(...words: readonly string[]): OptionRule {
  return {
    check(name, value) {
      if (typeof value === 'string' && words.includes(value)) return;
      const meant = typeof value === 'string' ? nearestName(value, words) : undefined;
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      throw optionMistake(RangeError, name, value, `one of ${words.join(', ')}${hint}`);
    },
    schema: { enum: words },
  };
}

/** True or false. */
export const trueOrFalse: OptionRule = {
  check(name, value) {
    if (typeof value !== 'boolean') throw optionMistake(TypeError, name, value, 'true or false');
  },
  schema: { type: 'boolean' },
};

/** A function. What is there instead is not told: it may be the secret that the function was to give. */
export const aFunction: OptionRule = {
  check(name, value) {
    if (typeof value !== 'function') throw new TypeError(`${name} is ${typeof value}, expected a function`);
  },
  schema: null,
};

/** A `Clock`. */
export const aClock: OptionRule = {
  check(name, value) {
    const { setTimer } = (value ?? {}) as { setTimer?: unknown };
    if (typeof setTimer !== 'function') throw optionMistake(TypeError, name, value, 'a Clock');
  },
  schema: null,
};

/** An object with options of its own. */
export function objectOf(rules: OptionRules): OptionRule {
  return { check: (name, value) => checkOptions(value, rules, name), schema: optionsSchema(rules) };
}

/** What only code can tell. */
export function checkedBy(
  check: OptionRule['check'],
  schema: Readonly<Record<string, unknown>> | null = null,
): OptionRule {
  return { check, schema };
}

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  let text: string | undefined;
  try {
    // JSON has no NaN and no Infinity.
    text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  } catch {
    // It holds itself, or a bigint.
  }
  text = withoutPasswords(text ?? String(value));
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}

/** Nothing takes a password from a URI, but people write one there: `qemu+ssh://me:secret@host/system`. */
function withoutPasswords(text: string): string {
  return text.slice(0, LONGEST_SEARCHED).replaceAll(/(:\/\/[^:/?#@\s"]{0,255}?(?::|%3a))[^\s"]*@/gi, '$1***@');
}
