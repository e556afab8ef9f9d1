import { expect, test } from 'vitest';
import { ErrorNumber } from './constants/error-number.ts';
import { isLibvirtError, LibvirtError } from './error.ts';

test('an error keeps what libvirt said and its cause', () => {
  const cause = new Error('inner');
  const error = new LibvirtError('LIBVIRT_REMOTE', 'text', {
    cause,
    libvirtCode: ErrorNumber.NO_DOMAIN,
    libvirtDomain: 12,
    libvirtLevel: 2,
    systemErrorNumber: 2,
    retryable: true,
  });
  expect(error).toMatchObject({
    name: 'LibvirtError',
    code: 'LIBVIRT_REMOTE',
    message: 'text',
    retryable: true,
    libvirtCode: 42,
    libvirtCodeName: 'NO_DOMAIN',
    libvirtDomain: 12,
    libvirtLevel: 2,
    systemErrorNumber: 2,
  });
  expect(error.cause).toBe(cause);
});

test('an error without details has none, and is not retryable', () => {
  const error = new LibvirtError('LIBVIRT_CLOSED', 'text');
  expect(error.retryable).toBe(false);
  expect(Object.keys(error)).not.toContain('libvirtCode');
  expect(error).not.toHaveProperty('cause');
});

test('a number of a newer libvirt has no name', () => {
  expect(new LibvirtError('LIBVIRT_REMOTE', 'text', { libvirtCode: 9999 }).libvirtCodeName).toBeUndefined();
});

test('an error is recognised, also by its libvirt code', () => {
  const error = new LibvirtError('LIBVIRT_REMOTE', 'text', { libvirtCode: 42 });
  expect(isLibvirtError(error)).toBe(true);
  expect(isLibvirtError(error, ErrorNumber.NO_DOMAIN)).toBe(true);
  expect(isLibvirtError(error, ErrorNumber.NO_NETWORK)).toBe(false);
});

test('an error of another copy of the package is recognised', () => {
  const foreign = Object.assign(new Error('text'), { [Symbol.for('@warmvm/libvirt.error')]: true, libvirtCode: 42 });
  expect(isLibvirtError(foreign, 42)).toBe(true);
});

test.each([undefined, null, 'text', new Error('text'), {}])('%s is no libvirt error', (value) => {
  expect(isLibvirtError(value)).toBe(false);
});
