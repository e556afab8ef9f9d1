import { describe, expect, test } from 'vitest';
import { WarmvmError } from '../driver/error.ts';
import { createStubDriver, type StubDriver, stubImage } from '../testing/stub-driver.ts';
import { SnapshotReset } from './snapshot-reset.ts';

function setUp(): { readonly driver: StubDriver; readonly reset: SnapshotReset } {
  const driver = createStubDriver();
  const owner = { pool: 'p', instance: 'i', process: { bootId: 'b', pid: 1, startTime: '0' } };
  return { driver, reset: new SnapshotReset({ driver, image: stubImage, owner }) };
}

describe('a fault while something is made', () => {
  test.each([
    ['ENOSPC', 'WARMVM_HOST_OPERATION', true, 'disk-full'],
    ['EACCES', 'WARMVM_HOST_DENIED', false, 'permission-denied'],
    ['ERR_ACCESS_DENIED', 'WARMVM_HOST_DENIED', false, 'node-permission'],
    ['EMFILE', 'WARMVM_HOST_OPERATION', true, 'too-many-open-files'],
  ] as const)(
    'does not blame the image for %s, also where the driver does',
    async (code, expected, retryable, reason) => {
      const cause = Object.assign(new Error(code), { code, path: '/var/lib/x' });
      for (const thrown of [cause, new WarmvmError('WARMVM_GOLDEN_INVALID', 'fix the image', { cause })]) {
        const { driver, reset } = setUp();
        driver.answer('prepare', { reject: thrown });
        await expect(reset.prepare()).rejects.toMatchObject({ code: expected, retryable, cause, details: { reason } });
      }
    },
  );

  test('blames neither image nor retries for an error that nobody knows', async () => {
    const { driver, reset } = setUp();
    const cause = new Error('a fault of the driver');
    driver.answer('prepare', { reject: cause });
    await expect(reset.prepare()).rejects.toMatchObject({ code: 'WARMVM_HOST_OPERATION', retryable: false, cause });
  });

  test('keeps the code of a fork for a fault of the system, and says what it is', async () => {
    const { driver, reset } = setUp();
    const cause = Object.assign(new Error('x'), { code: 'ENOSPC' });
    driver.answer('fork', { reject: cause });
    await expect(reset.fork()).rejects.toMatchObject({
      code: 'WARMVM_FORK_FAILED',
      retryable: true,
      details: { reason: 'disk-full' },
    });
  });
});
