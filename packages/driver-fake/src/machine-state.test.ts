import { describe, expect, test } from 'vitest';
import { guestAnswers, nextMachineState } from './machine-state.ts';

describe('nextMachineState', () => {
  test.each([
    ['starting', 'started', 'running'],
    ['running', 'paused', 'paused'],
    ['paused', 'resumed', 'running'],
    ['running', 'crashed', 'crashed'],
    ['running', 'shut-down', 'stopped'],
    ['crashed', 'reverting', 'starting'],
    ['stopped', 'reverting', 'starting'],
    ['running', 'destroying', 'stopping'],
    ['stopping', 'destroyed', 'stopped'],
  ] as const)('leads a machine that is %s through %s to %s', (state, event, next) => {
    expect(nextMachineState(state, event)).toBe(next);
  });

  test.each([
    ['stopping', 'reverting'],
    ['stopped', 'crashed'],
    ['crashed', 'resumed'],
    ['running', 'started'],
  ] as const)('lets nothing happen to a machine that is %s on %s', (state, event) => {
    expect(nextMachineState(state, event)).toBeUndefined();
  });
});

test('a guest answers only while its machine runs', () => {
  expect(guestAnswers('running')).toBe(true);
  expect(guestAnswers('paused')).toBe(false);
});
