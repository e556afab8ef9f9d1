import type { Deadlines } from '../deadline/deadlines.ts';
import type { CallOptions } from '../driver/call.ts';
import { BoundedCall } from './bounded-call.ts';
import type { CallScope } from './call-scope.ts';

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

/** One call of a driver as a promise, with the guarantees of {@link BoundedCall}; what comes after the end goes to `late`. */
export function guardedCall<Value>(
  call: (options: CallOptions) => PromiseLike<Value>,
  options: GuardOptions<Value>,
): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    new PromisedCall(call, options, resolve, reject).run();
  });
}

class PromisedCall<Value> extends BoundedCall<Value> {
  readonly #call: (options: CallOptions) => PromiseLike<Value>;
  readonly #options: GuardOptions<Value>;
  readonly #resolve: (value: Value) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    call: (options: CallOptions) => PromiseLike<Value>,
    options: GuardOptions<Value>,
    resolve: (value: Value) => void,
    reject: (error: unknown) => void,
  ) {
    super(options.deadlines, options.scope, options.signal);
    this.#call = call;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  run(): void {
    this.begin(this.#options.nowMs, this.#options.timeoutMs);
  }

  protected override call(options: CallOptions): PromiseLike<Value> {
    return this.#call.call(undefined, options);
  }

  protected override timeoutError(): unknown {
    return this.#options.timeoutError();
  }

  protected override succeeded(value: Value): void {
    this.#resolve(value);
  }

  protected override failed(error: unknown): void {
    this.#reject(this.#options.mapError?.(error) ?? error);
  }

  protected override givenUp(error: unknown, isUnderWay: boolean): void {
    if (isUnderWay) this.#options.givenUp?.(error);
    this.#reject(error);
  }

  protected override late(outcome: { readonly value: Value } | { readonly error: unknown }): void {
    this.#options.late?.(outcome);
  }
}
