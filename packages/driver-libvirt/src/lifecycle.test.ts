import { DomainState } from '@warmvm/libvirt';
import { describe, expect, test } from 'vitest';
import { asksForState, stateOf, stateOfEvent } from './lifecycle.ts';

describe('stateOf', () => {
  test.each([
    [DomainState.NOSTATE, 0, 'unknown'],
    [DomainState.RUNNING, 1, 'running'],
    [DomainState.BLOCKED, 0, 'running'],
    [DomainState.PAUSED, 1, 'paused'],
    [DomainState.PAUSED, 11, 'starting'],
    [DomainState.SHUTDOWN, 0, 'stopping'],
    [DomainState.SHUTOFF, 2, 'stopped'],
    [DomainState.SHUTOFF, 3, 'crashed'],
    [DomainState.SHUTOFF, 6, 'crashed'],
    [DomainState.CRASHED, 1, 'crashed'],
    [DomainState.PMSUSPENDED, 0, 'paused'],
    [99, 0, 'unknown'],
  ])('takes state %i with reason %i for %s', (state, reason, expected) => {
    expect(stateOf(state, reason).state).toBe(expected);
  });
});

describe('stateOfEvent', () => {
  test.each([
    [5, 0, 'stopped'],
    [5, 1, 'stopped'],
    [5, 2, 'crashed'],
    [5, 5, 'crashed'],
    [6, 0, 'stopping'],
    [8, 0, 'crashed'],
  ])('takes event %i with detail %i for %s', (event, detail, expected) => {
    expect(stateOfEvent(event, detail)?.state).toBe(expected);
    expect(asksForState(event, detail)).toBe(false);
  });

  test.each([
    [2, 0],
    [3, 0],
    [4, 0],
    [7, 0],
    [5, 6],
  ])('asks for the state at event %i with detail %i, which a reset causes too', (event, detail) => {
    expect(stateOfEvent(event, detail)).toBeUndefined();
    expect(asksForState(event, detail)).toBe(true);
  });

  test.each([[0], [1], [77]])('hears nothing of the state in event %i', (event) => {
    expect(stateOfEvent(event, 0)).toBeUndefined();
    expect(asksForState(event, 0)).toBe(false);
  });
});
