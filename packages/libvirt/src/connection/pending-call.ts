import { timeoutError } from '../guard.ts';
import type { Procedure } from '../procedures/index.ts';
import type { Dated } from './call-deadlines.ts';

/** What a reply with status ok becomes. */
export interface ReplyHandler<Result> {
  /** Runs while the reply is handled, before any later packet. Its second value tells that it keeps the serial. */
  readonly accept: (value: Readonly<Record<string, unknown>>, serial: number) => Result;
  /** Whether the serial stays in use after the reply, as it does for streams. */
  readonly keepsSerial?: boolean;
  /** Undoes what `accept` made when nobody waits for it any more. */
  readonly discard?: (result: Result) => void;
}

/** How long a caller is willing to wait. */
export interface CallWait {
  readonly signal: AbortSignal | undefined;
  /** `Infinity` for no deadline. */
  readonly timeoutMs: number;
}

/** A call without a word of what becomes of its reply. */
export interface OpenCall extends Dated {
  readonly procedure: Procedure;
  readonly packet: Uint8Array;
  /** Whether the serial stays in use after the reply. */
  readonly keepsSerial: boolean;
  resolveWith(value: Readonly<Record<string, unknown>>, serial: number): void;
  rejectWith(reason: unknown): void;
}

/** What a {@link PendingCall} is made of. */
export interface CallPlan<Result> {
  readonly procedure: Procedure;
  readonly packet: Uint8Array;
  readonly wait: CallWait;
  readonly dueAt: number;
  readonly handler: ReplyHandler<Result>;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
  /** Told once, when the caller has an answer of any kind. */
  readonly onSettled: (call: OpenCall) => void;
}

/** A call whose caller waits, or gave up while the daemon still works on it. */
export class PendingCall<Result> implements OpenCall {
  readonly #plan: CallPlan<Result>;
  #isSettled = false;

  constructor(plan: CallPlan<Result>) {
    this.#plan = plan;
    plan.wait.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get procedure(): Procedure {
    return this.#plan.procedure;
  }

  get packet(): Uint8Array {
    return this.#plan.packet;
  }

  get dueAt(): number {
    return this.#plan.dueAt;
  }

  get keepsSerial(): boolean {
    return this.#plan.handler.keepsSerial ?? false;
  }

  resolveWith(value: Readonly<Record<string, unknown>>, serial: number): void {
    const { handler, resolve } = this.#plan;
    const result = handler.accept(value, serial);
    if (this.#isSettled) {
      handler.discard?.(result);
      return;
    }
    this.#settle();
    resolve(result);
  }

  rejectWith(reason: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#plan.reject(reason);
  }

  onDue(): void {
    this.rejectWith(timeoutError(this.#plan.procedure.name, this.#plan.wait.timeoutMs));
  }

  readonly #onAbort = (): void => this.rejectWith(this.#plan.wait.signal?.reason);

  #settle(): void {
    this.#isSettled = true;
    this.#plan.wait.signal?.removeEventListener('abort', this.#onAbort);
    this.#plan.onSettled(this);
  }
}
