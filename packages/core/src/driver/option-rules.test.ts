import { describe, expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import {
  aClock,
  aFunction,
  checkOptions,
  type OptionRules,
  objectOf,
  oneOf,
  optionsSchema,
  textLike,
  trueOrFalse,
  wholeNumber,
} from './option-rules.ts';

const RULES: OptionRules = {
  standby: wholeNumber(0, 64),
  binary: textLike(/^\w+$/, 'the name of a program'),
  acceleration: oneOf('auto', 'kvm', 'tcg'),
  keepGoldens: trueOrFalse,
  password: aFunction,
  clock: aClock,
  network: objectOf({ restrict: trueOrFalse }),
};

describe('options', () => {
  test('that keep their rules are taken, and so are those that are not there', () => {
    expect(() => checkOptions({}, RULES)).not.toThrow();
    const all = { standby: 0, binary: 'qemu', acceleration: 'tcg', keepGoldens: false, network: { restrict: true } };
    expect(() => checkOptions({ ...all, password: () => 'x', clock: systemClock }, RULES)).not.toThrow();
    expect(() => checkOptions({ standby: undefined }, RULES)).not.toThrow();
  });

  test.each<[unknown, typeof TypeError | typeof RangeError, string]>([
    [null, TypeError, 'options is null, expected an object'],
    [[], TypeError, 'options is [], expected an object'],
    ['qemu', TypeError, 'options is "qemu", expected an object'],
    [{ standbi: 1 }, TypeError, 'options.standbi is unknown; did you mean standby?'],
    [{ StandBy: 1 }, TypeError, 'options.StandBy is unknown; did you mean standby?'],
    [{ accel: 'kvm' }, TypeError, 'options.accel is unknown; did you mean acceleration?'],
    [
      { frobnicate: 1 },
      TypeError,
      'options.frobnicate is unknown, expected one of standby, binary, acceleration, keepGoldens, password, clock, network',
    ],
    [{ standby: '1' }, TypeError, 'options.standby is "1", expected a whole number from 0 to 64'],
    [{ standby: null }, TypeError, 'options.standby is null, expected a whole number from 0 to 64'],
    [{ standby: -1 }, RangeError, 'options.standby is -1, expected a whole number from 0 to 64'],
    [{ standby: 1.5 }, RangeError, 'options.standby is 1.5, expected a whole number from 0 to 64'],
    [{ standby: Number.NaN }, RangeError, 'options.standby is NaN, expected a whole number from 0 to 64'],
    [{ standby: 10n }, TypeError, 'options.standby is 10, expected a whole number from 0 to 64'],
    [{ binary: 7 }, TypeError, 'options.binary is 7, expected the name of a program'],
    [{ binary: 'a b' }, RangeError, 'options.binary is "a b", expected the name of a program'],
    [{ acceleration: 'xen' }, RangeError, 'options.acceleration is "xen", expected one of auto, kvm, tcg'],
    [
      { acceleration: 'kmv' },
      RangeError,
      'options.acceleration is "kmv", expected one of auto, kvm, tcg; did you mean kvm?',
    ],
    [{ keepGoldens: 'no' }, TypeError, 'options.keepGoldens is "no", expected true or false'],
    [{ password: 'hunter2' }, TypeError, 'options.password is string, expected a function'],
    [{ clock: {} }, TypeError, 'options.clock is {}, expected a Clock'],
    [{ network: 'none' }, TypeError, 'options.network is "none", expected an object'],
    [{ network: { restrikt: true } }, TypeError, 'options.network.restrikt is unknown; did you mean restrict?'],
    [{ network: { restrict: 1 } }, TypeError, 'options.network.restrict is 1, expected true or false'],
  ])('%o are refused, with the option, its value and what was expected', (options, kind, message) => {
    const check = (): void => checkOptions(options, RULES);
    expect(check).toThrow(new kind(message));
    expect(check).toThrow(kind);
  });

  test('are shown without a password that somebody wrote into a URI', () => {
    const rules = { uri: textLike(/^x$/, 'x') };
    for (const uri of [
      'qemu+ssh://me:hun@ter2@host/',
      'a://CORP%5cme%3ahunter2@host',
      `a://b:hunter2${'2'.repeat(200)}@host`,
    ]) {
      const check = (): void => checkOptions({ uri }, rules);
      expect(check).toThrow('***@host');
      expect(check).not.toThrow(/ter2/);
      expect(() => checkOptions({ uri: [uri] }, rules)).not.toThrow(/ter2/);
    }
    expect(() => checkOptions({ uri: 'qemu://host:22/a' }, rules)).toThrow('qemu://host:22/a');
  });

  test('that are long are told from their beginning alone', () => {
    expect(() => checkOptions({ binary: `${'x'.repeat(1000)} ` }, RULES)).toThrow(/^.{40,150}$/);
  });

  test('have a JSON schema of what JSON can hold', () => {
    expect(optionsSchema(RULES)).toEqual({
      type: 'object',
      properties: {
        standby: { type: 'integer', minimum: 0, maximum: 64 },
        binary: { type: 'string', pattern: '^\\w+$', description: 'the name of a program' },
        acceleration: { enum: ['auto', 'kvm', 'tcg'] },
        keepGoldens: { type: 'boolean' },
        network: { type: 'object', properties: { restrict: { type: 'boolean' } }, additionalProperties: false },
      },
      additionalProperties: false,
    });
  });
});
