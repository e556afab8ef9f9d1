import type { Clock } from '@warmvm/core';
import type { BenchProgress, ProgressListener } from '../../progress.ts';
import { RemainingTime } from './remaining-time.ts';
import { clean, type TerminalStyle } from './style.ts';
import { suiteText } from './suite-text.ts';

/** What every view needs. */
export interface ViewOptions {
  readonly write: (text: string) => void;
  readonly style: TerminalStyle;
  readonly clock: Clock;
}

/** Lines for the rounds of one suite, at most. */
const LINES = 10;

/** Lines for logs and files: what a run tells, as it comes. */
export class PlainView {
  readonly #options: ViewOptions;
  #remaining: RemainingTime;
  #shownLines = 0;

  constructor(options: ViewOptions) {
    this.#options = options;
    this.#remaining = new RemainingTime(options.clock.now());
  }

  readonly listen: ProgressListener = (progress) => {
    const text = this.#textOf(progress);
    if (text !== '') this.#options.write(text);
  };

  close(): Promise<void> {
    return Promise.resolve();
  }

  #textOf(progress: BenchProgress): string {
    const { style, clock } = this.#options;
    switch (progress.type) {
      case 'suite-started':
        this.#remaining = new RemainingTime(clock.now());
        this.#shownLines = 0;
        return `${style.strong(clean(progress.suite))} (${clean(progress.driver)}): ${clean(progress.what)}\n`;
      case 'suite-left-out':
        return `${clean(progress.suite)} (${clean(progress.driver)}): left out, ${clean(progress.why)}\n`;
      case 'step':
        return `  ${clean(progress.text)}\n`;
      case 'rounds':
        return this.#roundsText(progress.done, progress.of);
      case 'suite-ended':
        return `\n${suiteText(progress.result, style)}\n\n`;
      case 'run-started':
      case 'run-ended':
        return '';
    }
  }

  #roundsText(done: number, of: number): string {
    const now = this.#options.clock.now();
    this.#remaining.rounds(done, of, now);
    const lines = Math.floor((done * LINES) / of);
    if (lines === this.#shownLines) return '';
    this.#shownLines = lines;
    return `  ${this.#remaining.text(now)}\n`;
  }
}
