import { describe, expect, test } from 'vitest';
import { Deadlines } from '../deadline/deadlines.ts';
import type { CallOptions } from '../driver/call.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { BoundedCall } from './bounded-call.ts';

class RepeatedCall extends BoundedCall<string> {
  readonly told: unknown[] = [];
  readonly clock: VirtualClock;
  #answer: (options: CallOptions) => PromiseLike<string> = () => Promise.reject(new Error('no call'));

  constructor(clock: VirtualClock) {
    super(new Deadlines(clock, true), undefined);
    this.clock = clock;
  }

  run(answer: (options: CallOptions) => PromiseLike<string>): void {
    this.#answer = answer;
    this.begin(this.clock.now(), 100);
  }

  protected override call(options: CallOptions): PromiseLike<string> {
    return this.#answer(options);
  }

  protected override timeoutError(): unknown {
    return 'too late';
  }

  protected override succeeded(value: string): void {
    this.told.push({ value });
  }

  protected override failed(error: unknown): void {
    this.told.push({ error });
  }

  protected override givenUp(error: unknown): void {
    this.told.push({ givenUp: error });
  }

  protected override late(outcome: { readonly value: string } | { readonly error: unknown }): void {
    this.told.push({ late: outcome });
  }
}

describe('BoundedCall', () => {
  test('begins one call after another, each within a time of its own', async () => {
    const clock = new VirtualClock();
    const call = new RepeatedCall(clock);
    call.run(async () => 'first');
    await clock.advance(60);
    call.run(() => new Promise(() => {}));
    await clock.advance(99);
    expect(call.told).toEqual([{ value: 'first' }]);
    await clock.advance(1);
    expect(call.told).toEqual([{ value: 'first' }, { givenUp: 'too late' }]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('does not let an answer that settles twice end the call after it', async () => {
    const clock = new VirtualClock();
    const call = new RepeatedCall(clock);
    let settleAgain: (() => void) | undefined;
    const twice = {
      // biome-ignore lint/suspicious/noThenProperty: a driver may answer with any thenable.
      then: (resolve: (value: string) => void) => {
        settleAgain = () => resolve('again');
        resolve('once');
      },
    } as PromiseLike<string>;
    call.run(() => twice);
    await clock.advance(0);
    call.run(() => new Promise(() => {}));
    settleAgain?.();
    await clock.advance(0);
    expect(call.told).toEqual([{ value: 'once' }]);
  });

  test('never aborts the signal of an earlier call, which its driver may have kept', async () => {
    const clock = new VirtualClock();
    const call = new RepeatedCall(clock);
    const signals: (AbortSignal | undefined)[] = [];
    const looking =
      (answer: Promise<string>) =>
      (options: CallOptions): Promise<string> => {
        signals.push(options.signal);
        return answer;
      };
    call.run(looking(Promise.resolve('first')));
    await clock.advance(0);
    call.run(looking(new Promise(() => {})));
    await clock.advance(100);
    expect(signals.map((signal) => signal?.aborted)).toEqual([false, true]);
    expect(signals[1]?.reason).toBe('too late');
  });

  test('tells what comes after it was given up as late', async () => {
    const clock = new VirtualClock();
    const call = new RepeatedCall(clock);
    const { promise, resolve } = Promise.withResolvers<string>();
    call.run(() => promise);
    await clock.advance(100);
    resolve('at last');
    await clock.advance(0);
    expect(call.told).toEqual([{ givenUp: 'too late' }, { late: { value: 'at last' } }]);
  });
});
