import type { Guest } from '@warmvm/core';
import { describe, expect, test } from 'vitest';
import { dirty, requireClean } from './dirt.ts';

const { signal } = new AbortController();

function guestThatEndsWith(exitCode: number, stderr = ''): Guest {
  const exec = async () => ({ exitCode, stderr: new TextEncoder().encode(stderr) });
  return { exec } as unknown as Guest;
}

describe('dirt', () => {
  test('that cannot be written ends the suite with what the guest said', async () => {
    await expect(dirty(guestThatEndsWith(1, 'no space'), signal)).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      message: expect.stringContaining('no space'),
    });
  });

  test('that is still there is a failed reset', async () => {
    await expect(requireClean(guestThatEndsWith(1), signal)).rejects.toMatchObject({ code: 'WARMVM_RESET_FAILED' });
  });

  test('that is gone is none', async () => {
    await expect(requireClean(guestThatEndsWith(0), signal)).resolves.toBeUndefined();
  });
});
