import { describe, expect, test } from 'vitest';
import { ERROR_CODES, isWarmvmError, WarmvmError } from './error.ts';

describe('WarmvmError', () => {
  test('carries code, message, details, cause and whether a retry may help', () => {
    const cause = new Error('the socket closed');
    const error = new WarmvmError('WARMVM_HOST_LOST', 'host alpha is lost', {
      retryable: true,
      details: { host: 'alpha' },
      cause,
    });
    expect(error).toMatchObject({
      name: 'WarmvmError',
      code: 'WARMVM_HOST_LOST',
      message: 'host alpha is lost',
      retryable: true,
      details: { host: 'alpha' },
    });
    expect(error.cause).toBe(cause);
  });

  test('is not retryable and has no details unless told so', () => {
    const error = new WarmvmError('WARMVM_NOT_READY', 'not yet');
    expect(error.retryable).toBe(false);
    expect(error.details).toEqual({});
  });

  test('has no cause of its own when none was given, and keeps an undefined one that was', () => {
    expect(Object.hasOwn(new WarmvmError('WARMVM_NOT_READY', 'x'), 'cause')).toBe(false);
    expect(Object.hasOwn(new WarmvmError('WARMVM_NOT_READY', 'x', { cause: undefined }), 'cause')).toBe(true);
  });

  test('does not show its marker when it is listed or copied', () => {
    const error = new WarmvmError('WARMVM_NOT_READY', 'x');
    expect(Object.keys(error).sort()).toEqual(['code', 'details', 'name', 'retryable']);
    expect(Object.getOwnPropertySymbols({ ...error })).toEqual([]);
  });
});

describe('isWarmvmError', () => {
  test('recognises the error of another copy of this package by its marker', () => {
    const foreign = Object.assign(new Error('x'), { code: 'WARMVM_HOST_LOST' });
    Object.defineProperty(foreign, Symbol.for('@warmvm/error'), { value: true });
    expect(isWarmvmError(foreign)).toBe(true);
    expect(isWarmvmError(foreign, 'WARMVM_HOST_LOST')).toBe(true);
  });

  test('tells codes apart when one is named', () => {
    const error = new WarmvmError('WARMVM_FORK_FAILED', 'x');
    expect(isWarmvmError(error, 'WARMVM_FORK_FAILED')).toBe(true);
    expect(isWarmvmError(error, 'WARMVM_RESET_FAILED')).toBe(false);
  });

  test.each([null, undefined, 'WARMVM_HOST_LOST', 7, {}, new Error('x'), { code: 'WARMVM_HOST_LOST' }])(
    'does not take %o for one',
    (value) => {
      expect(isWarmvmError(value)).toBe(false);
    },
  );
});

describe('ERROR_CODES', () => {
  test('holds each code once, each with the prefix', () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
    for (const code of ERROR_CODES) expect(code).toMatch(/^WARMVM(_[A-Z]+){2,3}$/);
  });
});
