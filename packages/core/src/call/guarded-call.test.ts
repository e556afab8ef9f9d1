import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Deadlines } from '../deadline/deadlines.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { CallScope } from './call-scope.ts';
import { type GuardOptions, guardedCall } from './guarded-call.ts';

function setUp(): {
  readonly clock: VirtualClock;
  readonly deadlines: Deadlines;
  readonly options: GuardOptions<string>;
} {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock, true);
  const timeoutError = (): Error => new Error('too late');
  return { clock, deadlines, options: { deadlines, nowMs: clock.now(), timeoutMs: 100, timeoutError } };
}

describe('guardedCall', () => {
  test('gives the value of a call that ends in time, and keeps no deadline', async () => {
    const { deadlines, options } = setUp();
    expect(await guardedCall(async () => 'done', options)).toBe('done');
    expect(deadlines.size).toBe(0);
  });

  test('takes a synchronous throw, and a call that gives no promise, for a rejection', async () => {
    const { deadlines, options } = setUp();
    const failure = new Error('no');
    const throwing = guardedCall<string>(() => {
      throw failure;
    }, options);
    await expect(throwing).rejects.toBe(failure);
    await expect(guardedCall<string>(() => undefined as never, options)).rejects.toThrow(TypeError);
    expect(deadlines.size).toBe(0);
  });

  test('rewords what the driver rejected with, and nothing else', async () => {
    const { clock, options } = setUp();
    const mapError = (error: unknown): Error => new Error('reworded', { cause: error });
    const failing = guardedCall<string>(() => Promise.reject(new Error('raw')), { ...options, mapError });
    await expect(failing).rejects.toMatchObject({ message: 'reworded', cause: { message: 'raw' } });
    const hanging = guardedCall<string>(() => new Promise(() => {}), { ...options, mapError });
    const rejected = expect(hanging).rejects.toThrow('too late');
    await clock.advance(100);
    await rejected;
  });

  test('gives its signal to a driver that copies the options it was given', async () => {
    const { clock, options } = setUp();
    let copy: { readonly signal?: AbortSignal } = {};
    const call = guardedCall<string>((given) => {
      copy = { ...given };
      return new Promise(() => {});
    }, options);
    const rejected = expect(call).rejects.toThrow('too late');
    await clock.advance(100);
    await rejected;
    expect(copy.signal?.aborted).toBe(true);
  });

  test('gives the call up when its time is over, and aborts the signal that the driver was given', async () => {
    const { clock, options } = setUp();
    let given: AbortSignal | undefined;
    const call = guardedCall<string>(({ signal }) => {
      given = signal;
      return new Promise(() => {});
    }, options);
    const rejected = expect(call).rejects.toThrow('too late');
    await clock.advance(99);
    expect(given!.aborted).toBe(false);
    await clock.advance(1);
    await rejected;
    expect(given!.reason).toMatchObject({ message: 'too late' });
  });

  test('gives the call up with the reason of the outer signal, and leaves no listener on it', async () => {
    const { options } = setUp();
    const controller = new AbortController();
    const reason = new Error('left');
    const call = guardedCall<string>(() => new Promise(() => {}), { ...options, signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('leaves no listener on the outer signal of a call that ends by itself', async () => {
    const { options } = setUp();
    const { signal } = new AbortController();
    await guardedCall(async () => 'done', { ...options, signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('does not make the call when the outer signal was aborted before', async () => {
    const { options } = setUp();
    const reason = new Error('left');
    const call = guardedCall<string>(() => expect.unreachable(), { ...options, signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
  });

  test('says in the same step that a call is given up, and later how it ended after all', async () => {
    const { clock, options } = setUp();
    const trace: unknown[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    const call = guardedCall(() => promise, {
      ...options,
      givenUp: (error) => trace.push(['given up', (error as Error).message]),
      late: (outcome) => trace.push(['late', outcome]),
    }).catch(() => trace.push('rejected'));
    await clock.advance(100);
    await call;
    resolve('after all');
    await clock.settle();
    expect(trace).toEqual([['given up', 'too late'], 'rejected', ['late', { value: 'after all' }]]);
  });

  test('hands over a late error as well, and lets none go unhandled', async () => {
    const { clock, options } = setUp();
    const outcomes: unknown[] = [];
    const { promise, reject } = Promise.withResolvers<string>();
    const call = guardedCall(() => promise, { ...options, late: (outcome) => outcomes.push(outcome) }).catch(() => {});
    await clock.advance(100);
    await call;
    const failure = new Error('in the end');
    reject(failure);
    await clock.settle();
    expect(outcomes).toEqual([{ error: failure }]);
  });

  test('gives the driver a signal that is aborted when it asks for it too late', async () => {
    const { clock, options } = setUp();
    let later: (() => AbortSignal | undefined) | undefined;
    const call = guardedCall<string>((given) => {
      later = () => given.signal;
      return new Promise(() => {});
    }, options).catch(() => {});
    await clock.advance(100);
    await call;
    expect(later!()!.reason).toMatchObject({ message: 'too late' });
  });
});

describe('CallScope', () => {
  test('gives up every call in it, and none that has ended', async () => {
    const { options, deadlines } = setUp();
    const scope = new CallScope();
    const ended = guardedCall(async () => 'done', { ...options, scope });
    expect(await ended).toBe('done');
    const reason = new Error('closed');
    const calls = [1, 2].map(() => guardedCall<string>(() => new Promise(() => {}), { ...options, scope }));
    scope.end(reason);
    for (const result of await Promise.allSettled(calls)) expect(result).toMatchObject({ reason });
    expect(deadlines.size).toBe(0);
  });

  test('lets no call begin after its end', async () => {
    const { options } = setUp();
    const scope = new CallScope();
    const reason = new Error('closed');
    scope.end(reason);
    expect(scope.ended).toEqual({ reason });
    await expect(guardedCall<string>(() => expect.unreachable(), { ...options, scope })).rejects.toBe(reason);
  });
});
