import { describe, expect, test } from 'vitest';
import { Backoff } from '../backoff/backoff.ts';
import { CreationGate, type CreationGateOptions } from './creation-gate.ts';

function makeGate(change: Partial<CreationGateOptions> = {}): CreationGate {
  const backoff = Backoff.exponential({ baseMs: 100, capMs: 1_000, jitter: 'none' });
  return new CreationGate({ backoff, failures: 3, openMs: 5_000, samples: 1, ...change });
}

function failTimes(gate: CreationGate, times: number, startMs = 0): number {
  let nowMs = startMs;
  for (let count = 0; count < times; count += 1) {
    nowMs = gate.nextAttemptMs(nowMs) ?? nowMs;
    gate.failed(gate.approve(nowMs)!, nowMs);
  }
  return nowMs;
}

describe('CreationGate', () => {
  test('lets everyone through while all is well', () => {
    const gate = makeGate();
    for (let count = 0; count < 50; count += 1) expect(gate.approve(0)).toBeDefined();
    expect(gate.underWay).toBe(50);
    expect(gate.nextAttemptMs(0)).toBeUndefined();
  });

  test('counts failures of attempts that were under way together as one', () => {
    const gate = makeGate();
    const together = [gate.approve(0)!, gate.approve(0)!, gate.approve(0)!, gate.approve(0)!];
    for (const approval of together) gate.failed(approval, 10);
    expect(gate.failuresInARow).toBe(1);
    expect(gate.state).toBe('closed');
    expect(gate.nextAttemptMs(10)).toBe(110);
  });

  test('lets nobody through before the delay is over, and then one at a time', () => {
    const gate = makeGate();
    failTimes(gate, 1);
    expect(gate.approve(99)).toBeUndefined();
    expect(gate.approve(100)).toBeDefined();
    expect(gate.approve(100)).toBeUndefined();
  });

  test('doubles how many may go at once with each success', () => {
    const gate = makeGate();
    failTimes(gate, 1);
    const widths: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const approvals = [];
      for (let next = gate.approve(1_000); next !== undefined; next = gate.approve(1_000)) approvals.push(next);
      widths.push(approvals.length);
      gate.succeeded(approvals[0]!);
      for (const approval of approvals.slice(1)) gate.abandoned(approval);
    }
    expect(widths).toEqual([1, 2, 4, 8]);
  });

  test('begins the delays anew after one success', () => {
    const gate = makeGate();
    const nowMs = failTimes(gate, 2);
    gate.succeeded(gate.approve(nowMs + 200)!);
    gate.failed(gate.approve(5_000)!, 5_000);
    expect(gate.nextAttemptMs(5_000)).toBe(5_100);
    expect(gate.failuresInARow).toBe(1);
  });

  test('opens after enough failures in a row and stays so for its time', () => {
    const gate = makeGate();
    const nowMs = failTimes(gate, 3);
    expect(gate.state).toBe('open');
    expect(gate.nextAttemptMs(nowMs)).toBe(nowMs + 5_000);
    expect(gate.approve(nowMs + 4_999)).toBeUndefined();
  });

  test('half-open lets exactly its sample through and closes when all of it went well', () => {
    const gate = makeGate({ samples: 2 });
    const nowMs = failTimes(gate, 3) + 5_000;
    const samples = [gate.approve(nowMs)!, gate.approve(nowMs)!];
    expect(gate.state).toBe('half-open');
    expect(gate.approve(nowMs)).toBeUndefined();
    gate.succeeded(samples[0]!);
    expect(gate.state).toBe('half-open');
    expect(gate.approve(nowMs)).toBeUndefined();
    gate.succeeded(samples[1]!);
    expect(gate.state).toBe('closed');
  });

  test('opens again when one of the sample fails', () => {
    const gate = makeGate({ samples: 2 });
    const nowMs = failTimes(gate, 3) + 5_000;
    const samples = [gate.approve(nowMs)!, gate.approve(nowMs)!];
    gate.succeeded(samples[0]!);
    gate.failed(samples[1]!, nowMs);
    expect(gate.state).toBe('open');
    expect(gate.nextAttemptMs(nowMs)).toBe(nowMs + 5_000);
  });

  test('an old attempt that ends well while half-open does not close the breaker', () => {
    const gate = makeGate({ failures: 1 });
    const old = gate.approve(0)!;
    gate.failed(gate.approve(0)!, 0);
    gate.approve(5_000);
    gate.succeeded(old);
    expect(gate.state).toBe('half-open');
  });

  test('a sample that came to nothing gives its place to another', () => {
    const gate = makeGate();
    const nowMs = failTimes(gate, 3) + 5_000;
    gate.abandoned(gate.approve(nowMs)!);
    expect(gate.approve(nowMs)).toBeDefined();
  });

  test('takes an outcome only once', () => {
    const gate = makeGate();
    const approval = gate.approve(0)!;
    gate.succeeded(approval);
    gate.failed(approval, 0);
    gate.succeeded(approval);
    gate.abandoned(approval);
    expect(gate.underWay).toBe(0);
    expect(gate.failuresInARow).toBe(0);
  });

  test('a failure that was seen without an attempt holds attempts back too', () => {
    const gate = makeGate();
    gate.hit(0);
    expect(gate.approve(99)).toBeUndefined();
    expect(gate.failuresInARow).toBe(1);
  });
});
