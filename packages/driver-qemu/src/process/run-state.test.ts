import { describe, expect, test } from 'vitest';
import { stateOfEnd, stateOfEvent, stateOfStatus } from './run-state.ts';

const running = { state: 'running', reason: 'RESUME' } as const;

describe('the state of a machine', () => {
  test.each([
    ['RESUME', 'running'],
    ['STOP', 'paused'],
    ['SUSPEND', 'paused'],
    ['WAKEUP', 'running'],
    ['SHUTDOWN', 'stopping'],
    ['GUEST_PANICKED', 'crashed'],
    ['RTC_CHANGE', undefined],
  ])('after the event %s is %s', (event, state) => {
    expect(stateOfEvent({ event, data: {} })?.state).toBe(state);
  });

  test.each([
    ['running', 'running'],
    ['paused', 'paused'],
    ['postmigrate', 'paused'],
    ['inmigrate', 'starting'],
    ['shutdown', 'stopping'],
    ['internal-error', 'crashed'],
    ['colo', 'unknown'],
    [undefined, 'unknown'],
  ])('of which QEMU says %s is %s', (status, state) => {
    expect(stateOfStatus(status).state).toBe(state);
  });

  test('at the end of its process is a crash, unless the guest had shut down and QEMU ended by itself', () => {
    const stopping = { state: 'stopping', reason: 'SHUTDOWN guest-shutdown' } as const;
    expect(stateOfEnd({ exitCode: 0, signal: null }, stopping)).toMatchObject({ state: 'stopped' });
    expect(stateOfEnd({ exitCode: null, signal: 'SIGKILL' }, stopping)).toMatchObject({ state: 'crashed' });
    expect(stateOfEnd({ exitCode: 1, signal: null }, running)).toEqual({
      state: 'crashed',
      reason: 'QEMU ended with exit code 1',
    });
  });
});
