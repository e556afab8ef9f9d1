import { WarmvmError } from '@warmvm/core/driver';
import { ErrorNumber, LibvirtError } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { isAbsent, mapError } from './map-error.ts';

function remote(libvirtCode: number): LibvirtError {
  return new LibvirtError('LIBVIRT_REMOTE', 'refused', { libvirtCode });
}

describe('mapError', () => {
  test.each([
    ['LIBVIRT_CLOSED', 'WARMVM_HOST_LOST'],
    ['LIBVIRT_UNREACHABLE', 'WARMVM_HOST_UNREACHABLE'],
    ['LIBVIRT_DENIED', 'WARMVM_HOST_DENIED'],
    ['LIBVIRT_UNSUPPORTED', 'WARMVM_NOT_SUPPORTED'],
    ['LIBVIRT_PROTOCOL', 'WARMVM_HOST_PROTOCOL'],
    ['LIBVIRT_TIMEOUT', 'WARMVM_HOST_OPERATION'],
  ] as const)('makes %s a %s that keeps whether a retry may help', (from, code) => {
    const cause = new LibvirtError(from, 'why', { retryable: true });
    expect(mapError(cause, 'could not do it')).toMatchObject({
      code,
      message: 'could not do it: why',
      retryable: true,
      cause,
    });
  });

  test.each([
    [ErrorNumber.NO_DOMAIN, 'WARMVM_MACHINE_GONE', false],
    [ErrorNumber.ACCESS_DENIED, 'WARMVM_HOST_DENIED', false],
    [ErrorNumber.AUTH_FAILED, 'WARMVM_HOST_DENIED', false],
    [ErrorNumber.AGENT_UNRESPONSIVE, 'WARMVM_GUEST_UNRESPONSIVE', true],
    [ErrorNumber.NO_SUPPORT, 'WARMVM_NOT_SUPPORTED', false],
    [ErrorNumber.OPERATION_TIMEOUT, 'WARMVM_HOST_OPERATION', true],
    [ErrorNumber.INTERNAL_ERROR, 'WARMVM_HOST_OPERATION', false],
  ])('makes libvirt’s %i a %s', (libvirtCode, code, retryable) => {
    const mapped = mapError(remote(libvirtCode), 'could not do it');
    expect(mapped).toMatchObject({ code, retryable, details: { libvirtCode } });
  });

  test('leaves what is not libvirt’s as it is', () => {
    const reason = new Error('no longer wanted');
    const ours = new WarmvmError('WARMVM_NOT_READY', 'x');
    expect(mapError(reason, 'x')).toBe(reason);
    expect(mapError(ours, 'x')).toBe(ours);
  });
});

describe('isAbsent', () => {
  test('sees through our own error', () => {
    expect(isAbsent(mapError(remote(ErrorNumber.NO_STORAGE_VOL), 'x'))).toBe(true);
    expect(isAbsent(mapError(remote(ErrorNumber.OPERATION_INVALID), 'x'))).toBe(false);
    expect(isAbsent(new Error('x'))).toBe(false);
  });
});
