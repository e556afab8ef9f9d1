import { stripVTControlCharacters } from 'node:util';

/** A longer line is broken: a guest that never ends one would fill the memory of the runner. */
const LONGEST_LINE = 4096;
const TAIL_LINES = 20;
/** All but the tab: what a guest prints may not move the cursor of whoever reads. */
const CONTROL_CHARACTERS = /(?!\t)\p{Cc}/gu;

/** The output of one job, which runs beside others: whole lines, each with the name of the job. */
export class JobLog {
  readonly #name: string;
  readonly #write: (text: string) => Promise<void>;
  readonly #streams = { stdout: lineOf(), stderr: lineOf() };
  readonly #tail: string[] = [];

  constructor(name: string, write: (text: string) => Promise<void>) {
    this.#name = name;
    this.#write = write;
  }

  /** The last lines. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  /** Output as it comes. Resolves when more may follow. */
  async output(bytes: Uint8Array, stream: 'stdout' | 'stderr'): Promise<void> {
    const line = this.#streams[stream];
    line.begun += line.decoder.decode(bytes, { stream: true });
    const lines = line.begun.split('\n');
    line.begun = lines.pop() ?? '';
    if (line.begun.length > LONGEST_LINE) {
      lines.push(line.begun);
      line.begun = '';
    }
    await this.#lines(lines);
  }

  /** Lines that were begun and not ended, when a step is over. */
  async flush(): Promise<void> {
    for (const line of Object.values(this.#streams)) {
      const rest = line.begun + line.decoder.decode();
      line.begun = '';
      if (rest !== '') await this.#lines([rest]);
    }
  }

  /** A line of the runner itself. */
  async say(text: string): Promise<void> {
    await this.#write(`[${this.#name}] ${clean(text)}\n`);
  }

  async #lines(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const cleaned = lines.map(clean);
    this.#tail.push(...cleaned.slice(-TAIL_LINES));
    this.#tail.splice(0, this.#tail.length - TAIL_LINES);
    await this.#write(cleaned.map((text) => `[${this.#name}] ${text}\n`).join(''));
  }
}

interface Line {
  readonly decoder: InstanceType<typeof TextDecoder>;
  /** What has come of it. */
  begun: string;
}

function lineOf(): Line {
  return { decoder: new TextDecoder(), begun: '' };
}

function clean(text: string): string {
  return stripVTControlCharacters(text).replaceAll(CONTROL_CHARACTERS, '');
}
