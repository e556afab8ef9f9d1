import assert from 'node:assert/strict';
import { type ErrorCode, isWarmvmError, type WarmvmError } from '@warmvm/core/driver';
import type { KitContext } from './context.ts';

/** What a promise is rejected with. @throws AssertionError when it resolves */
export async function rejection(promise: PromiseLike<unknown>, what: string): Promise<unknown> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    return error;
  }
  return assert.fail(`${what} must reject, but resolved with ${describe(result)}`);
}

/** The error of one of these codes that a promise is rejected with. @throws AssertionError otherwise */
export async function rejectsWith(
  promise: PromiseLike<unknown>,
  codes: ErrorCode | readonly ErrorCode[],
  what: string,
): Promise<WarmvmError> {
  const error = await rejection(promise, what);
  const expected = typeof codes === 'string' ? [codes] : codes;
  assert.ok(isWarmvmError(error), `${what} must reject with a WarmvmError, got ${describe(error)}`);
  assert.ok(expected.includes(error.code), `${what} must reject with ${expected.join(' or ')}, got ${describe(error)}`);
  return error;
}

/** Asserts that a promise is rejected with exactly this reason, in time. */
export async function rejectsWithReason(
  context: KitContext,
  promise: PromiseLike<unknown>,
  reason: unknown,
  what: string,
): Promise<void> {
  const error = await context.within(10_000, `${what} after its abort`, rejection(promise, `${what}, aborted,`));
  assert.ok(
    error === reason,
    `${what}, aborted, must reject with the reason of its signal itself, got ${describe(error)}`,
  );
}

/** A reason for an abort that nothing else can be mistaken for. */
export function newReason(): object {
  return { reason: 'the kit changed its mind' };
}

/** Short text of anything. */
export function describe(value: unknown): string {
  if (isWarmvmError(value)) return `${value.code}: ${value.message}`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 200);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** Settled results without the rest. @throws the first reason when one was rejected */
export function allFulfilled<Result>(results: readonly PromiseSettledResult<Result>[]): readonly Result[] {
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** Whether a promise is settled by now. What it rejects with counts as heard. */
export function whetherSettled(promise: PromiseLike<unknown>): () => boolean {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  return () => settled;
}

/** Whether it is a text with something in it. */
export function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}
