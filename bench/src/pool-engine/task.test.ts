import { describe, expect, test } from 'vitest';
import { measureApart } from './task.ts';

const never = new AbortController().signal;

describe('measureApart', () => {
  test('weighs waiters in a process of its own', async () => {
    const task = { kind: 'heap', contender: 'warmvm', waiters: 1_000, deadlineMs: 30_000 } as const;
    const { bytesPerWaiter } = await measureApart(task, never);
    expect(bytesPerWaiter).toBeGreaterThan(50);
    expect(bytesPerWaiter).toBeLessThanOrEqual(600);
  });

  test('rejects every waiter whose time is over', async () => {
    const { cpuMs } = await measureApart({ kind: 'deadlines', contender: 'warmvm', waiters: 100 }, never);
    expect(cpuMs).toBeGreaterThan(0);
  });

  test('says what the process said when it failed', async () => {
    const task = { kind: 'deadlines', contender: 'nobody', waiters: 1 } as const;
    const error: unknown = await measureApart(task, never).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'WARMVM_HOST_OPERATION' });
    expect(String((error as Error).cause)).toContain("no contender 'nobody'");
  });

  test('starts no process for an aborted signal', async () => {
    const reason = new Error('enough');
    const task = { kind: 'deadlines', contender: 'warmvm', waiters: 1 } as const;
    await expect(measureApart(task, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
