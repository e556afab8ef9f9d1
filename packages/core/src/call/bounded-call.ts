import type { DeadlineEntry, Deadlines } from '../deadline/deadlines.ts';
import type { DueLane } from '../deadline/due-lane.ts';
import type { CallOptions } from '../driver/call.ts';
import type { Abandonable, CallScope } from './call-scope.ts';

/** What a driver is given: the signal is an own property, so that copies have it, made when somebody looks at it. */
class LazyCallOptions implements CallOptions {
  declare readonly signal: AbortSignal;
  readonly #of: { signal(): AbortSignal };

  constructor(of: { signal(): AbortSignal }) {
    this.#of = of;
    Object.defineProperty(this, 'signal', LazyCallOptions.#signal);
  }

  // One getter for all: a literal with a getter costs each call a closure and a hidden class of its own.
  static readonly #signal: PropertyDescriptor & ThisType<LazyCallOptions> = {
    enumerable: true,
    get() {
      return this.#of.signal();
    },
  };
}

/**
 * The one place where the pool calls a driver. A synchronous throw is a rejection. The call is given up and its signal
 * aborted when its time is over, its scope ends or the outer signal aborts, whether or not the driver takes notice.
 * The signal is made only when the driver looks at it. Once a call has succeeded the same object may begin another one,
 * for which then nothing is allocated.
 */
export abstract class BoundedCall<Value> implements DeadlineEntry, Abandonable {
  dueMs = 0;
  heapIndex = -1;
  lane: DueLane | undefined = undefined;
  sooner: DeadlineEntry | undefined = undefined;
  later: DeadlineEntry | undefined = undefined;
  previousInScope: Abandonable | undefined = undefined;
  nextInScope: Abandonable | undefined = undefined;
  readonly #deadlines: Deadlines;
  readonly #scope: CallScope | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  readonly #onValue = (value: Value): void => this.#succeed(value);
  readonly #onError = (error: unknown): void => this.#fail(error);
  #controller: AbortController | undefined;
  #options: CallOptions | undefined;
  #underWay = false;
  #givenUpFor: unknown;

  /** @param signal aborts the call from outside */
  constructor(deadlines: Deadlines, scope: CallScope | undefined, signal?: AbortSignal) {
    this.#deadlines = deadlines;
    this.#scope = scope;
    this.#signal = signal;
    this.#onAbort = signal === undefined ? undefined : () => this.#giveUp(signal.reason);
  }

  /** Begins the call, which is not under way and was never given up. @param lane of the deadlines, for calls that nearly always may take equally long */
  protected begin(nowMs: number, timeoutMs: number, lane?: DueLane): void {
    const signal = this.#signal;
    const before = this.#scope?.ended ?? (signal?.aborted ? { reason: signal.reason } : undefined);
    if (before !== undefined) {
      this.givenUp(before.reason, false);
      return;
    }
    this.#underWay = true;
    this.#scope?.enter(this);
    signal?.addEventListener('abort', this.#onAbort!, { once: true });
    this.#deadlines.add(this, nowMs + timeoutMs, lane);
    // Whoever looked at the signal of an earlier call may keep it, so this one needs another.
    if (this.#options === undefined || this.#controller !== undefined) this.#options = new LazyCallOptions(this);
    this.#controller = undefined;
    try {
      const answer = this.call(this.#options);
      // Anything but a true promise might settle twice, and so end a later call that has only begun.
      (answer instanceof Promise ? answer : promiseOf(answer)).then(this.#onValue, this.#onError);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Calls the driver. */
  protected abstract call(options: CallOptions): PromiseLike<Value>;
  /** Makes the error for a call that took too long. */
  protected abstract timeoutError(): unknown;
  protected abstract succeeded(value: Value): void;
  /** Told what the driver rejected with. */
  protected abstract failed(error: unknown): void;
  /** Told that the call is given up, or not begun at all: no other may begin. */
  protected abstract givenUp(error: unknown, isUnderWay: boolean): void;
  /** Told when the call settles after it was given up; a value it brought must be put away by the one who is told. */
  protected abstract late(outcome: { readonly value: Value } | { readonly error: unknown }): void;

  onDue(): void {
    this.#giveUp(this.timeoutError());
  }

  abandon(reason: unknown): void {
    this.#giveUp(reason);
  }

  /** The signal of the present or latest call. */
  signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (!this.#underWay) this.#controller.abort(this.#givenUpFor);
    }
    return this.#controller.signal;
  }

  #succeed(value: Value): void {
    if (this.#underWay) {
      this.#end();
      this.succeeded(value);
    } else this.late({ value });
  }

  #fail(error: unknown): void {
    if (this.#underWay) {
      this.#end();
      this.failed(error);
    } else this.late({ error });
  }

  #giveUp(error: unknown): void {
    if (!this.#underWay) return;
    this.#end();
    this.#givenUpFor = error;
    this.givenUp(error, true);
    this.#controller?.abort(error);
  }

  #end(): void {
    this.#underWay = false;
    this.#deadlines.remove(this);
    this.#scope?.leave(this);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

function promiseOf<Value>(answer: PromiseLike<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    answer.then(resolve, reject);
  });
}
