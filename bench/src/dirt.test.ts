import type { Guest } from '@warmvm/core';
import { describe, expect, test } from 'vitest';
import { dirtFor } from './dirt.ts';

const dirt = dirtFor({ acceleration: 'tcg' });
const { signal } = new AbortController();

function guestThatEndsWith(exitCode: number, stderr = ''): Guest {
  const exec = async () => ({ exitCode, stderr: new TextEncoder().encode(stderr) });
  return { exec } as unknown as Guest;
}

describe('dirt', () => {
  test('that cannot be written ends the suite with what the guest said', async () => {
    await expect(dirt.write(guestThatEndsWith(1, 'no space'), signal)).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      message: expect.stringContaining('no space'),
    });
  });

  test('that is still there is a failed reset', async () => {
    await expect(dirt.requireClean(guestThatEndsWith(1), signal)).rejects.toMatchObject({
      code: 'WARMVM_RESET_FAILED',
    });
  });

  test('that is gone is none', async () => {
    await expect(dirt.requireClean(guestThatEndsWith(0), signal)).resolves.toBeUndefined();
  });
});
