import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as constants from './constants/index.ts';
import * as library from './index.ts';

const fixture = JSON.parse(readFileSync(new URL('./fixtures/constants.json', import.meta.url), 'utf8')) as {
  readonly constants: Readonly<Record<string, Readonly<Record<string, number>>>>;
};

test('the functions and classes of the package are these', () => {
  const names = Object.keys(library).filter((name) => !Object.hasOwn(constants, name));
  expect(names.sort()).toEqual([
    'LibvirtError',
    'connect',
    'flagNames',
    'isLibvirtError',
    'lifecycleNames',
    'localDialer',
    'nameOf',
    'openClient',
    'parseUri',
    'shownUri',
    'stateNames',
    'systemClock',
    'toJson',
    'typedParams',
    'uuidFromString',
    'uuidToString',
  ]);
});

describe('the constants', () => {
  test('are those of the fixture', () => {
    expect(Object.keys(constants).sort()).toEqual(Object.keys(fixture.constants).sort());
  });

  test.each(Object.entries(fixture.constants))('%s have the values of libvirt', (name, values) => {
    expect((library as Readonly<Record<string, unknown>>)[name]).toEqual(values);
  });
});
