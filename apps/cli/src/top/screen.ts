import { emitKeypressEvents, type Key } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import ansiEscapes from 'ansi-escapes';
import { terminalText } from '../output.ts';
import type { Room } from './view.ts';

/** What a screen tells. */
export interface ScreenEvents {
  /** The person wants to leave. */
  readonly onLeave: () => void;
  /** The terminal has another size. */
  readonly onResize: () => void;
}

/**
 * A whole terminal, taken over and given back as it was: also by an end of the process that no `finally` sees. It is the terminal's second screen,
 * so that lines which a narrower window breaks are no harm, and what was there before comes back.
 */
export class Screen implements Disposable {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #events: ScreenEvents;
  readonly #onKey = (_text: string | undefined, key: Key): void => {
    if (key.name === 'q' || (key.ctrl === true && key.name === 'c')) this.#events.onLeave();
  };
  #isOpen = false;

  constructor(input: ReadStream, output: WriteStream, events: ScreenEvents) {
    this.#input = input;
    this.#output = output;
    this.#events = events;
  }

  /** Whether keys are heard one by one. */
  get hasKeys(): boolean {
    return this.#input.isTTY === true;
  }

  get room(): Room {
    // A terminal that does not know its size is as the first ones were.
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
  }

  open(): void {
    this.#isOpen = true;
    process.once('exit', this.#restore);
    this.#output.on('resize', this.#events.onResize);
    if (this.hasKeys) {
      emitKeypressEvents(this.#input);
      this.#input.on('keypress', this.#onKey);
      this.#input.setRawMode(true);
      this.#input.resume();
    }
    this.#output.write(ansiEscapes.enterAlternativeScreen + ansiEscapes.cursorHide);
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const text = lines.map((line) => terminalText(line, true) + ansiEscapes.eraseEndLine).join('\r\n');
    this.#output.write(ansiEscapes.cursorTo(0, 0) + text + ansiEscapes.eraseDown);
  }

  [Symbol.dispose](): void {
    this.#restore();
  }

  readonly #restore = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#restore);
    this.#output.off('resize', this.#events.onResize);
    this.#output.write(ansiEscapes.cursorShow + ansiEscapes.exitAlternativeScreen);
    if (this.hasKeys) {
      this.#input.off('keypress', this.#onKey);
      this.#input.setRawMode(false);
      this.#input.pause();
    }
  };
}
