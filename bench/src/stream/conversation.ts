import type { Clock, Guest } from '@warmvm/core';

/** More than a line that is waited for can be long. */
const KEPT_CHARACTERS = 256;

/** A line that came back. Times are of the bench's clock. */
export interface Echo {
  readonly saidAt: number;
  readonly heardAt: number;
  /** When the guest wrote it, in milliseconds of its own clock since the epoch; undefined where it tells no time. */
  readonly writtenAtGuestMs: number | undefined;
}

/** What one conversation came to. */
export interface ConversationEnd {
  /** Everything that the program wrote. */
  readonly bytes: number;
  readonly durationMs: number;
}

/** Words for a program of the guest that answers every line of its input with the same line, and the time if it has one. */
export interface ConversationOptions {
  readonly command: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Says lines, one at a time: the next when the one before is back. */
  readonly talk: (say: () => Promise<Echo>) => Promise<void>;
}

/**
 * Talks to a program that runs all the while, by its input and its output.
 * @throws what ends the program early, or `talk` throws; the signal's reason
 */
export async function converse(
  guest: Guest,
  { command, clock, signal, talk }: ConversationOptions,
): Promise<ConversationEnd> {
  const mouth = new Mouth();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let text = '';
  let bytes = 0;
  let number = 0;
  let waiting: { readonly saidAt: number; readonly hear: (echo: Echo) => void } | undefined;
  const onOutput = (piece: Uint8Array): void => {
    const heardAt = clock.now();
    bytes += piece.length;
    text += Buffer.from(piece).toString('latin1');
    const found = new RegExp(`#${number}(?: (\\d+[.,]\\d+))?\\s*\\n`).exec(text);
    text = text.slice(-KEPT_CHARACTERS);
    if (found === null || waiting === undefined) return;
    const { saidAt, hear } = waiting;
    waiting = undefined;
    const seconds = found[1]?.replace(',', '.');
    hear({ saidAt, heardAt, writtenAtGuestMs: seconds === undefined ? undefined : Number(seconds) * 1000 });
  };
  const say = (): Promise<Echo> =>
    new Promise((resolve, reject) => {
      number += 1;
      either.addEventListener('abort', () => reject(either.reason), { once: true });
      waiting = { saidAt: clock.now(), hear: resolve };
      mouth.say(`#${number}\n`);
    });
  const startedAt = clock.now();
  const options = { stdin: mouth.lines(), onOutput, signal: either, timeoutMs: 2 ** 31 - 1 };
  const running = guest.exec(command, options).then(
    () => over.abort(new Error('the program ended before it had answered')),
    (error: unknown) => over.abort(error),
  );
  let durationMs = 0;
  try {
    await talk(say);
    durationMs = clock.now() - startedAt;
  } catch (error) {
    over.abort(error);
    throw error;
  } finally {
    mouth.close();
    await running;
  }
  return { bytes, durationMs };
}

/** Input of a program, line by line as it is said. */
class Mouth {
  readonly #said: string[] = [];
  #closed = false;
  #wake: () => void = () => {};

  say(line: string): void {
    this.#said.push(line);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const line = this.#said.shift();
      if (line !== undefined) yield line;
      else if (this.#closed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
