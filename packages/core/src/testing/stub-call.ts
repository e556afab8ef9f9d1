import type { Clock } from '../driver/clock.ts';
import type { MachineId } from '../driver/machine.ts';

/** What a {@link StubDriver} can be asked to do. `probe` is the guest's `ping`. */
export type StubCallKind =
  | 'prepare'
  | 'fork'
  | 'list'
  | 'adopt'
  | 'remove'
  | 'ping'
  | 'state'
  | 'reset'
  | 'dispose'
  | 'probe';

/**
 * How a call goes: at once well, not before the test says so (or never), with an error, with a synchronous throw, or
 * one of these after a time on the stub's clock.
 */
export type StubAnswer =
  | 'resolve'
  | 'manual'
  | { readonly reject: unknown }
  | { readonly throw: unknown }
  | { readonly delayMs: number; readonly answer?: StubAnswer };

/** One call that was made to a {@link StubDriver}. */
export interface StubCall {
  readonly kind: StubCallKind;
  /** The machine it was made on, or null for calls of the driver. */
  readonly machineId: MachineId | null;
  /** When it was made, on the stub's clock. */
  readonly atMs: number;
  readonly signal: AbortSignal | undefined;
  readonly settled: 'no' | 'resolved' | 'rejected';
  /** Keeps a delayed answer back: the call is then for {@link resolve} and {@link reject}, as a `manual` one. */
  hold(): void;
  /** Lets it end well; without effect on a settled call. */
  resolve(): void;
  /** Lets it end with this error; without effect on a settled call. */
  reject(error: unknown): void;
}

type Answers = (kind: StubCallKind, index: number) => StubAnswer;

/** Records calls and plays the answers that a test has written for them. */
export class StubCalls {
  readonly all: StubCall[] = [];
  readonly #clock: Clock;
  readonly #honoursAbort: () => boolean;
  readonly #answer: Answers;

  constructor(clock: Clock, honoursAbort: () => boolean, answer: Answers) {
    this.#clock = clock;
    this.#honoursAbort = honoursAbort;
    this.#answer = answer;
  }

  of(kind?: StubCallKind): readonly StubCall[] {
    return kind === undefined ? this.all : this.all.filter((call) => call.kind === kind);
  }

  make<Value>(
    kind: StubCallKind,
    machineId: MachineId | null,
    signal: AbortSignal | undefined,
    value: () => Value,
    failed: () => void = () => {},
  ): Promise<Value> {
    const answer = this.#answer(kind, this.of(kind).length);
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const call = { kind, machineId, atMs: this.#clock.now(), signal, settled: 'no' as StubCall['settled'] };
    const onAbort = (): void => recorded.reject(signal?.reason);
    const settle = (how: 'resolved' | 'rejected'): boolean => {
      if (call.settled !== 'no') return false;
      call.settled = how;
      signal?.removeEventListener('abort', onAbort);
      return true;
    };
    let isHeld = false;
    const later = (callback: () => void, delayMs: number): void => {
      const unlessHeld = (): void => {
        if (!isHeld) callback();
      };
      this.#clock.setTimer(unlessHeld, delayMs, { hold: false });
    };
    const recorded: StubCall = Object.assign(call, {
      hold: () => {
        isHeld = true;
      },
      resolve: () => {
        if (settle('resolved')) resolve(value());
      },
      reject: (error: unknown) => {
        if (!settle('rejected')) return;
        failed();
        reject(error);
      },
    });
    this.all.push(recorded);
    if (signal !== undefined && this.#honoursAbort()) {
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    }
    play(recorded, answer, settle, later);
    return promise;
  }
}

function play(
  call: StubCall,
  answer: StubAnswer,
  settle: (how: 'rejected') => boolean,
  later: (callback: () => void, delayMs: number) => void,
): void {
  if (answer === 'resolve') call.resolve();
  else if (answer === 'manual') return;
  else if ('reject' in answer) call.reject(answer.reject);
  else if ('throw' in answer) {
    settle('rejected');
    throw answer.throw;
  } else {
    const after = answer.answer ?? 'resolve';
    if (typeof after === 'object' && 'throw' in after) throw new TypeError('a delayed answer cannot throw at once');
    later(() => play(call, after, settle, later), answer.delayMs);
  }
}
