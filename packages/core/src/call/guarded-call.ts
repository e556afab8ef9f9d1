import type { DeadlineEntry, Deadlines } from '../deadline/deadlines.ts';
import type { CallOptions } from '../driver/call.ts';
import type { Abandonable, CallScope } from './call-scope.ts';

/** How one call across the driver contract is bounded. */
export interface GuardOptions<Value> {
  /** Whose deadlines it is bounded by. */
  readonly deadlines: Deadlines;
  /** Present time on the deadlines' clock. */
  readonly nowMs: number;
  readonly timeoutMs: number;
  /** Makes the error for a call that took too long. */
  readonly timeoutError: () => unknown;
  /** Rewords what the driver rejected with; an abort's reason and the timeout error pass as they are. */
  readonly mapError?: (error: unknown) => unknown;
  /** Told, before the rejection, that the call is given up while the driver is still at it. */
  readonly givenUp?: ((error: unknown) => void) | undefined;
  /** Gives the call up together with others. */
  readonly scope?: CallScope | undefined;
  /** Aborts the call from outside. */
  readonly signal?: AbortSignal | undefined;
  /** Told when the call settles after it was given up; a value it brought must be put away by the one who is told. */
  readonly late?: ((outcome: { readonly value: Value } | { readonly error: unknown }) => void) | undefined;
}

/**
 * The one place where the pool calls a driver. A synchronous throw is a rejection. The call is given up, its signal
 * aborted and the promise rejected, when its time is over or the outer signal aborts, whether or not the driver takes
 * notice; what comes after that goes to `late`. The signal is made only when the driver looks at it.
 */
export function guardedCall<Value>(
  call: (options: CallOptions) => PromiseLike<Value>,
  options: GuardOptions<Value>,
): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    const guard = new CallGuard(options, resolve, reject);
    guard.run(call);
  });
}

/** What a driver is given: the signal is an own property, so that copies have it, made when somebody looks at it. */
class LazyCallOptions implements CallOptions {
  declare readonly signal: AbortSignal;
  readonly #guard: { signal(): AbortSignal };

  constructor(guard: { signal(): AbortSignal }) {
    this.#guard = guard;
    Object.defineProperty(this, 'signal', LazyCallOptions.#signal);
  }

  // One getter for all: a literal with a getter costs each call a closure and a hidden class of its own.
  static readonly #signal: PropertyDescriptor & ThisType<LazyCallOptions> = {
    enumerable: true,
    get() {
      return this.#guard.signal();
    },
  };
}

class CallGuard<Value> implements DeadlineEntry, Abandonable {
  dueMs = 0;
  heapIndex = -1;
  previousInScope: Abandonable | undefined = undefined;
  nextInScope: Abandonable | undefined = undefined;
  readonly #options: GuardOptions<Value>;
  readonly #resolve: (value: Value) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onAbort: (() => void) | undefined;
  #controller: AbortController | undefined;
  #settled = false;
  #givenUpFor: unknown;

  constructor(options: GuardOptions<Value>, resolve: (value: Value) => void, reject: (error: unknown) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    const { signal } = options;
    this.#onAbort = signal === undefined ? undefined : () => this.#giveUp(signal.reason);
  }

  run(call: (options: CallOptions) => PromiseLike<Value>): void {
    const { signal, scope, deadlines, nowMs, timeoutMs } = this.#options;
    const before = scope?.ended ?? (signal?.aborted ? { reason: signal.reason } : undefined);
    if (before !== undefined) {
      this.#settled = true;
      this.#reject(before.reason);
      return;
    }
    scope?.enter(this);
    signal?.addEventListener('abort', this.#onAbort!, { once: true });
    deadlines.add(this, nowMs + timeoutMs);
    try {
      call(new LazyCallOptions(this)).then(
        (value) => this.#settle({ value }),
        (error: unknown) => this.#settle({ error }),
      );
    } catch (error) {
      this.#settle({ error });
    }
  }

  onDue(): void {
    this.#giveUp(this.#options.timeoutError());
  }

  abandon(reason: unknown): void {
    this.#giveUp(reason);
  }

  signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#settled) this.#controller.abort(this.#givenUpFor);
    }
    return this.#controller.signal;
  }

  #settle(outcome: { readonly value: Value } | { readonly error: unknown }): void {
    if (this.#settled) {
      this.#options.late?.(outcome);
      return;
    }
    this.#end();
    if ('value' in outcome) this.#resolve(outcome.value);
    else this.#reject(this.#options.mapError?.(outcome.error) ?? outcome.error);
  }

  #giveUp(error: unknown): void {
    if (this.#settled) return;
    this.#end();
    this.#givenUpFor = error;
    this.#options.givenUp?.(error);
    this.#reject(error);
    this.#controller?.abort(error);
  }

  #end(): void {
    this.#settled = true;
    this.#options.deadlines.remove(this);
    this.#options.scope?.leave(this);
    if (this.#onAbort !== undefined) this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }
}
