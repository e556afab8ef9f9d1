import type { Timer } from '@warmvm/core';
import { Listr, type ListrTaskWrapper, PRESET_TIMER } from 'listr2';
import type { BenchProgress, ProgressListener } from '../../progress.ts';
import type { SuiteResult } from '../../result/suite-result.ts';
import type { ViewOptions } from './plain-view.ts';
import { RemainingTime } from './remaining-time.ts';
import { clean } from './style.ts';
import { suiteText } from './suite-text.ts';

const TICK_MS = 1_000;

type Task = Pick<ListrTaskWrapper<unknown, never, never>, 'title' | 'output'>;

type Unnamed = 'getting ready' | 'both sides in turns';

/** A suite that waits for its turn, runs, or has ended. */
interface Row {
  readonly title: string;
  readonly ended: PromiseWithResolvers<void>;
  /** While it is drawn as running: nothing may be shown through it before or after. */
  task: Task | undefined;
}

/** A line for each suite on a terminal, with what it does now and how long it still takes; results when all have ended. */
export class LiveView {
  readonly #options: ViewOptions;
  readonly #results: SuiteResult[] = [];
  readonly #leftOut: string[] = [];
  #rows: readonly Row[] = [];
  #unnamed: Unnamed | undefined;
  #current = -1;
  #remaining: RemainingTime;
  #step = '';
  #drawn: Promise<unknown> = Promise.resolve();
  #tick: Timer | undefined;

  constructor(options: ViewOptions) {
    this.#options = options;
    this.#remaining = new RemainingTime(options.clock.now());
  }

  readonly listen: ProgressListener = (progress) => {
    this.#take(progress);
    this.#show();
  };

  /** Never rejects: whoever runs the suites knows why they ended. */
  async close(): Promise<void> {
    this.#tick?.cancel();
    for (const row of this.#rows) {
      row.task = undefined;
      row.ended.reject(new Error(`${row.title}: not finished`));
    }
    await this.#drawn.catch(() => {});
    const { write, style } = this.#options;
    for (const line of this.#leftOut.splice(0)) write(line);
    for (const result of this.#results.splice(0)) {
      write(`\n${style.strong(clean(result.suite))} (${clean(result.driver)}): ${clean(result.what)}\n\n`);
      write(`${suiteText(result, style)}\n`);
    }
    write('\n');
  }

  #take(progress: BenchProgress): void {
    switch (progress.type) {
      case 'run-started':
        this.#draw(progress.suites.map(({ suite, driver }) => `${clean(suite)} (${clean(driver)})`));
        break;
      case 'suite-left-out':
        this.#leftOut.push(`${clean(progress.suite)} (${clean(progress.driver)}): left out, ${clean(progress.why)}\n`);
        break;
      case 'suite-started':
        this.#current += 1;
        this.#remaining = new RemainingTime(this.#options.clock.now());
        this.#step = clean(progress.what);
        break;
      case 'step':
        if (this.#rows.length === 0) this.#drawUnnamed('getting ready');
        this.#step = clean(progress.text);
        break;
      case 'rounds':
        if (this.#unnamed === 'getting ready') this.#drawUnnamed('both sides in turns');
        this.#remaining.rounds(progress.done, progress.of, this.#options.clock.now());
        break;
      case 'suite-ended':
        this.#results.push(progress.result);
        this.#end(this.#rows[this.#current]);
        break;
      case 'run-ended':
        this.#tick?.cancel();
        this.#end(this.#rows[this.#current]);
        break;
    }
  }

  /** What comes before the suites are known, and a run that starts others in turns, are one line. */
  #drawUnnamed(title: Unnamed): void {
    this.#draw([title]);
    this.#unnamed = title;
    this.#current = 0;
    this.#remaining = new RemainingTime(this.#options.clock.now());
  }

  #end(row: Row | undefined): void {
    if (row?.task !== undefined) row.task.title = row.title;
    if (row !== undefined) row.task = undefined;
    row?.ended.resolve();
  }

  #draw(titles: readonly string[]): void {
    this.#end(this.#rows[this.#current]);
    this.#tick?.cancel();
    this.#unnamed = undefined;
    this.#current = -1;
    this.#step = '';
    this.#rows = titles.map((title) => ({
      title,
      ended: Promise.withResolvers<void>(),
      task: undefined as Task | undefined,
    }));
    // What ends before it is drawn must not count as unhandled.
    for (const { ended } of this.#rows) ended.promise.catch(() => {});
    const tasks = this.#rows.map((row) => ({
      title: row.title,
      task: async (_context: unknown, task: Task): Promise<void> => {
        row.task = task;
        this.#show();
        await row.ended.promise.finally(() => {
          row.task = undefined;
        });
      },
    }));
    const rendererOptions = { timer: PRESET_TIMER, formatOutput: 'truncate' } as const;
    const list = new Listr(tasks, { rendererOptions, registerSignalListeners: false });
    // One picture after the other: two at once would draw over each other.
    this.#drawn = this.#drawn.then(() => list.run());
    this.#drawn.catch(() => {});
    this.#tickOn();
  }

  /** Remaining time goes down between rounds too. */
  #tickOn(): void {
    const again = (): void => {
      this.#show();
      this.#tickOn();
    };
    this.#tick = this.#options.clock.setTimer(again, TICK_MS, { hold: false });
  }

  #show(): void {
    const row = this.#rows[this.#current];
    if (row?.task === undefined) return;
    const rounds = this.#remaining.text(this.#options.clock.now());
    row.task.title = rounds === '' ? row.title : `${row.title}: ${rounds}`;
    row.task.output = this.#step;
  }
}
