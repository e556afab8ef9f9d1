import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  type Clock,
  type ErrorCode,
  fromSystemError,
  isWarmvmError,
  shownText,
  WarmvmError,
} from '@warmvm/core/driver';
import {
  GUARDIAN_READY,
  type GuardianOrders,
  type GuardianRefusal,
  type StartGuardian,
  startGuardianProcess,
} from './guardian-process.ts';
import { untilAborted } from './interruption.ts';
import type { ParsedOptions } from './options.ts';

/** A guardian for a host that is reached through `dial`: a function cannot be handed to another process, a program can be named. */
export interface GuardianProgram {
  /** A module that calls `runGuardian`. It is run by this process's Node. */
  readonly module: URL;
  /** What it makes its way of, as JSON. It goes on a command line, which others can read: no secrets. */
  readonly way: unknown;
  /** How long it tries to reach the host after this process was killed. */
  readonly giveUpMs: number;
  /** Whether to go on without one, with a warning of this process, where the host does not let it in by itself. */
  readonly isOptional: boolean;
}

/** How long a local guardian may take to answer: it starts in some 100 ms. */
const ANSWER_TIMEOUT_MS = 10_000;
/** One that reaches the host first has deadlines of its own for that, which know better what went wrong. */
const PROGRAM_ANSWER_TIMEOUT_MS = 120_000;
/** A daemon on this computer is back by then, or is not meant to be. */
const LOCAL_GIVE_UP_MS = 600_000;
/** A guardian ends at once when it is dismissed, unless it hangs. */
const DISMISS_TIMEOUT_MS = 5_000;
/** What a process that has ended said may still be on its way. */
const LAST_WORDS_MS = 200;
/** Of what a guardian says. */
const LAST_WORDS_CHARS = 2_000;

const REMEDY =
  'let it in without questions (an ssh agent, or a key file without a passphrase), or set options.guardian to false to do without it';

/** What a {@link Guardian} is made with, besides its orders. */
export interface GuardianChoices {
  readonly start: StartGuardian;
  readonly isOptional: boolean;
  readonly answerTimeoutMs: number;
}

/** The guardian that the options ask for. */
export function guardianFor({
  guardian,
  uri,
  storagePool,
  storagePath,
  clock,
}: Pick<ParsedOptions, 'guardian' | 'uri' | 'storagePool' | 'storagePath' | 'clock'>): Guardian | undefined {
  if (guardian === false) return undefined;
  const host = { uri, storagePool, storagePath };
  const local = { ...host, giveUpMs: LOCAL_GIVE_UP_MS };
  if (guardian === true) return new Guardian(local, clock);
  if (guardian instanceof URL) {
    return new Guardian(local, clock, { start: (orders) => startGuardianProcess(orders, guardian) });
  }
  const { module, way, giveUpMs, isOptional } = guardian;
  return new Guardian({ ...host, giveUpMs, way }, clock, {
    start: (orders) => startGuardianProcess(orders, module),
    isOptional,
    answerTimeoutMs: PROGRAM_ANSWER_TIMEOUT_MS,
  });
}

/**
 * A small process that outlives this one. It reads what it watches over from a pipe; when the pipe closes without a farewell, this
 * process was killed, and it removes from the host all that carries the marks it was told of. Then it ends itself. One that was
 * killed is replaced when it is needed next.
 */
export class Guardian {
  readonly #orders: GuardianOrders;
  readonly #clock: Clock;
  readonly #choices: GuardianChoices;
  readonly #instances = new Set<string>();
  readonly #telling = new Map<string, Promise<void>>();
  /** Those that have answered once: what they run is all there. */
  readonly #proved = new WeakSet<ChildProcess>();
  #child: ChildProcess | undefined;
  #lastWords = '';
  #turn: Promise<unknown> = Promise.resolve();
  /** The host does not let it in, and that was said. */
  #isRenounced = false;
  #isReleased = false;

  /** Nothing is started before there is something to watch over. */
  constructor(orders: GuardianOrders, clock: Clock, choices: Partial<GuardianChoices> = {}) {
    this.#orders = orders;
    this.#clock = clock;
    this.#choices = {
      start: startGuardianProcess,
      isOptional: false,
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
      ...choices,
    };
  }

  /**
   * Resolves when the guardian has taken note of the instance: only then may anything be made in its name.
   * @throws WARMVM_HOST_OPERATION; what keeps it from the host, where it has to reach that first
   */
  async watchOver(instance: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#isRenounced || (this.#instances.has(instance) && this.#alive() !== undefined)) return;
    await untilAborted(this.#telling.get(instance) ?? this.#begin(instance), signal);
  }

  /** Nothing is left to watch over: the process ends without doing anything, and this waits for it, at most 5 s. */
  async dismiss(): Promise<void> {
    const child = this.#alive();
    if (child === undefined || this.#isReleased) return;
    child.ref();
    const over = new AbortController();
    const timer = this.#clock.setTimer(() => over.abort(), DISMISS_TIMEOUT_MS);
    try {
      const ended = once(child, 'exit', { signal: over.signal });
      child.stdin?.end('farewell\n');
      await ended;
    } catch {
      // It hangs, and has nothing to do any more.
      child.kill('SIGKILL');
      child.unref();
    } finally {
      timer.cancel();
    }
  }

  /** How long it tries to reach the host after this process has ended. */
  get patienceMs(): number {
    return this.#orders.giveUpMs;
  }

  /** Lets the guardian do its work now. */
  release(): void {
    this.#isReleased = this.#child !== undefined;
    this.#child?.stdin?.end();
  }

  /** The guardian answers in order, also callers that no longer wait. */
  #begin(instance: string): Promise<void> {
    const telling = this.#inTurn(() => this.#take(instance)).finally(() => this.#telling.delete(instance));
    this.#telling.set(instance, telling);
    telling.catch(() => {});
    return telling;
  }

  /** One question at a time, so that each gets its own answer. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #take(instance: string): Promise<void> {
    if (this.#isRenounced) return;
    let child = this.#alive();
    const told = child === undefined ? [...this.#instances, instance] : [instance];
    child ??= this.#start();
    try {
      for (const name of told) await this.#tell(child, name);
    } catch (error) {
      if (!this.#choices.isOptional || !isWarmvmError(error, 'WARMVM_HOST_DENIED')) throw error;
      await this.#renounce(error);
      return;
    }
    this.#instances.add(instance);
  }

  #start(): ChildProcess {
    const child = this.#choices.start(this.#orders);
    this.#child = child;
    this.#lastWords = '';
    child.stderr?.on('data', (data: Buffer) => {
      this.#lastWords = `${this.#lastWords}${data}`.slice(-LAST_WORDS_CHARS);
    });
    return child;
  }

  /** What it said before it ended: of an error of Node the line with the message. */
  async #complaint(child: ChildProcess): Promise<string> {
    if (child.stderr?.readableEnded === false) {
      const over = new AbortController();
      const timer = this.#clock.setTimer(() => over.abort(), LAST_WORDS_MS);
      await once(child.stderr, 'close', { signal: over.signal }).catch(() => {});
      timer.cancel();
    }
    const lines = this.#lastWords.split('\n').filter((line) => line.trim() !== '');
    return shownText(lines.findLast((line) => line.includes('Error:')) ?? lines.at(-1) ?? '', { mostChars: 300 });
  }

  /** Once and for good: what the host refuses now it refuses later. */
  async #renounce({ message }: Error): Promise<void> {
    this.#isRenounced = true;
    process.emitWarning(
      `${message}. When this process is killed, its machines on the host stay until a pool of the same name starts`,
      { type: 'WarmvmWarning', code: 'WARMVM_NO_GUARDIAN' },
    );
    await this.dismiss();
  }

  async #tell(child: ChildProcess, instance: string): Promise<void> {
    const limit = new AbortController();
    const { answerTimeoutMs } = this.#choices;
    const timer = this.#clock.setTimer(() => limit.abort(noAnswer('no answer in time')), answerTimeoutMs);
    const { signal } = limit;
    try {
      if (child.stdout === null || child.stdin === null) throw noAnswer('no pipe');
      const answer = Promise.race([
        once(child.stdout, 'data', { signal }).then(([data]) => String(data).trim()),
        once(child, 'exit', { signal }).then(([code]) => ({ code })),
      ]);
      child.stdin.write(`${instance}\n`);
      const said = await answer;
      if (typeof said === 'object') throw ended(await this.#complaint(child), said.code, this.#proved.has(child));
      if (said !== GUARDIAN_READY) throw refused(said) ?? noAnswer(said.slice(0, 80));
      this.#proved.add(child);
    } catch (error) {
      throw signal.aborted ? signal.reason : fromSystemError(error, 'The guardian process could not start');
    } finally {
      timer.cancel();
      limit.abort();
    }
  }

  #alive(): ChildProcess | undefined {
    const child = this.#child;
    const ended =
      child === undefined || child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    return ended ? undefined : child;
  }
}

/** What kept the guardian from the host, in its own words. */
function refused(said: string): WarmvmError | undefined {
  if (!said.startsWith('{')) return undefined;
  const { code, message, retryable, problem } = JSON.parse(said) as GuardianRefusal;
  return new WarmvmError(code as ErrorCode, `the guardian process does not reach the host: ${message}; ${REMEDY}`, {
    retryable,
    details: { problem, remedy: REMEDY },
  });
}

function noAnswer(said: string, cause?: unknown): WarmvmError {
  return new WarmvmError('WARMVM_HOST_OPERATION', `the guardian process did not take note: ${said}`, {
    retryable: true,
    details: { remedy: 'set options.guardian to false to do without it' },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A guardian that ends before its first answer ends each time: it lacks a file, or its arguments are wrong. */
function ended(complaint: string, code: unknown, isProved: boolean): WarmvmError {
  const words = complaint === '' ? '' : `: ${complaint}`;
  const remedy =
    'If this program is bundled, keep the package external to the bundle; or set options.guardian to false to do without it.';
  return new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `The guardian process ended with exit code ${code} before it took note${words}. ${remedy}`,
    { retryable: isProved || code === null, details: { exitCode: code, complaint, remedy } },
  );
}
