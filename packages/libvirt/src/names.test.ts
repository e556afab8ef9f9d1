import { describe, expect, test } from 'vitest';
import { ConnectListAllNodeDevicesFlags, DomainCreateFlags, DomainEventType, DomainState } from './constants/index.ts';
import { toJson } from './json.ts';
import { flagNames, lifecycleNames, nameOf, stateNames } from './names.ts';
import { typedParams } from './procedures/typed-param.ts';

describe('a number', () => {
  test('has the name that its group gives it', () => {
    expect(nameOf(DomainState, 1)).toBe('RUNNING');
    expect(nameOf(DomainState, 99)).toBeUndefined();
  });

  test('of flags has a name for each bit, the highest included', () => {
    expect(flagNames(DomainCreateFlags, 3)).toEqual(['START_PAUSED', 'START_AUTODESTROY']);
    expect(flagNames(ConnectListAllNodeDevicesFlags, 0x8000_0002 | 0)).toEqual(['CAP_PCI_DEV', 'ACTIVE']);
    expect(flagNames(DomainCreateFlags, 0)).toEqual([]);
  });

  test.each([
    [2, 0, 'STARTED', 'BOOTED'],
    [5, 1, 'STOPPED', 'DESTROYED'],
    [7, 1, 'PMSUSPENDED', 'DISK'],
    [77, 5, '77', '5'],
  ])('of a lifecycle event %i, detail %i, is %s, %s', (event, detail, eventName, detailName) => {
    expect(lifecycleNames({ event, detail })).toEqual({ event: eventName, detail: detailName });
  });

  test('of a lifecycle event has a name whatever the event', () => {
    for (const event of Object.values(DomainEventType))
      expect(lifecycleNames({ event, detail: 0 }).detail).not.toBe('0');
  });

  test('of a state has a name with its reason', () => {
    expect(stateNames({ state: 5, reason: 2 })).toEqual({ state: 'SHUTOFF', reason: 'DESTROYED' });
    expect(stateNames({ state: 7, reason: 3 })).toEqual({ state: 'PMSUSPENDED', reason: '3' });
  });
});

test('results and events become JSON', () => {
  const uuid = Uint8Array.from({ length: 16 }, (_, index) => index);
  const params = typedParams([{ field: 'cpu.time', value: { type: 'ullong', value: 2n ** 64n - 1n } }]);
  const value = { dom: { name: 'a', uuid, id: 1 }, cpumap: uuid, small: 5n, params, none: undefined, list: [1n, NaN] };
  expect(JSON.parse(JSON.stringify(toJson(value)))).toEqual({
    dom: { name: 'a', uuid: '00010203-0405-0607-0809-0a0b0c0d0e0f', id: 1 },
    cpumap: Buffer.from(uuid).toString('base64'),
    small: '5',
    params: { 'cpu.time': '18446744073709551615' },
    list: ['1', 'NaN'],
  });
});
