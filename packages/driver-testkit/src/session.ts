import type { Clock, DriverCapabilities } from '@warmvm/core/driver';
import { systemClock } from '@warmvm/core/driver';
import { describe } from './assertions.ts';
import { KitContext } from './context.ts';
import type { KitCase } from './kit-case.ts';
import { inapplicable } from './needs.ts';
import type { KitResult } from './report.ts';
import type { ParsedSubject } from './subject.ts';
import { settledWithin } from './time-bound.ts';
import { Workplace } from './workplace.ts';

/** Longest that dispose of the shared workplace may take. */
const CLOSE_MS = 20_000;

/** How one case ended, with the error itself. */
export interface CaseEnd {
  readonly result: KitResult;
  readonly error?: unknown;
}

/** One run of the kit: cases one after the other, and what they share. */
export class KitSession {
  readonly subject: ParsedSubject;
  readonly clock: Clock;
  #capabilities: Promise<DriverCapabilities> | undefined;
  #shared: Promise<Workplace> | undefined;

  constructor(subject: ParsedSubject, clock: Clock = systemClock) {
    this.subject = subject;
    this.clock = clock;
  }

  /** The manifest, of a driver that is made for the question. */
  capabilities(): Promise<DriverCapabilities> {
    this.#capabilities ??= this.#readCapabilities();
    return this.#capabilities;
  }

  /** Runs one case and takes back what it took. Never rejects for what the driver does. @throws the signal's reason */
  async run(kitCase: KitCase, signal?: AbortSignal): Promise<CaseEnd> {
    signal?.throwIfAborted();
    const { id, clause, title, needs } = kitCase;
    const startedMs = this.clock.now();
    const facts = (): { id: string; clause: string; title: string; durationMs: number } => {
      return { id, clause, title, durationMs: Math.round((this.clock.now() - startedMs) * 10) / 10 };
    };
    try {
      const capabilities = await this.capabilities();
      const reason = inapplicable(needs, capabilities);
      if (reason !== undefined) return { result: { ...facts(), result: 'not-applicable', reason } };
      await this.#attempt(kitCase, capabilities, signal);
      return { result: { ...facts(), result: 'passed' } };
    } catch (error) {
      // What the case did to the shared workplace before it failed, nobody knows.
      await this.closeShared();
      signal?.throwIfAborted();
      return { error, result: { ...facts(), result: 'failed', error: explain(error) } };
    }
  }

  shared(): Promise<Workplace> {
    this.#shared ??= Workplace.create({ subject: this.subject, clock: this.clock });
    return this.#shared;
  }

  /** Ends what the cases share. Never rejects. */
  async closeShared(): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) return;
    const closed = shared.then((workplace) => workplace.close());
    await settledWithin(this.clock, CLOSE_MS * this.subject.timeScale, 'dispose', closed).catch(() => {});
  }

  async #attempt(kitCase: KitCase, capabilities: DriverCapabilities, signal: AbortSignal | undefined): Promise<void> {
    const { subject, clock } = this;
    const over = new AbortController();
    const context = new KitContext(
      {
        subject,
        clock,
        capabilities,
        shared: () => this.shared(),
        closeShared: () => this.closeShared(),
      },
      over.signal,
    );
    try {
      const budgetMs = kitCase.budgetMs * subject.timeScale;
      await settledWithin(clock, budgetMs, `case ${kitCase.id}`, kitCase.run(context), signal);
    } finally {
      over.abort(new Error(`case ${kitCase.id} is over`));
      await context.close();
    }
  }

  async #readCapabilities(): Promise<DriverCapabilities> {
    const driver = await this.subject.create();
    const { capabilities } = driver;
    await driver[Symbol.asyncDispose]();
    return structuredClone(capabilities);
  }
}

function explain(error: unknown): string {
  const causes: string[] = [];
  for (let next = error; next !== undefined && causes.length < 5; next = (next as { cause?: unknown })?.cause) {
    causes.push(describe(next).slice(0, 1000));
  }
  return causes.join('\ncaused by ');
}
