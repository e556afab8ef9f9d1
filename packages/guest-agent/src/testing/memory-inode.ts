/** What the agent and a program have open together: output that grows, or a pipe. It outlives its name. */
export class MemoryInode {
  /** Bytes that a pipe takes before its reader has read; none for a file. */
  readonly capacityBytes: number;
  #content: Uint8Array = new Uint8Array(0);
  #writers = 0;
  #wake: () => void = () => {};

  constructor(capacityBytes: number = Number.POSITIVE_INFINITY) {
    this.capacityBytes = capacityBytes;
  }

  get content(): Uint8Array {
    return this.#content;
  }

  /** False, and nothing is kept, where a pipe has no room for all of it. */
  append(bytes: Uint8Array): boolean {
    if (this.#content.length + bytes.length > this.capacityBytes) return false;
    this.#content = new Uint8Array(Buffer.concat([this.#content, bytes]));
    this.#wake();
    return true;
  }

  opened(): void {
    this.#writers += 1;
  }

  closed(): void {
    this.#writers -= 1;
    this.#wake();
  }

  /** What a program reads from a pipe, until nobody has it open for writing. */
  async *drain(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#content.length > 0) {
        const bytes = this.#content;
        this.#content = new Uint8Array(0);
        yield bytes;
      } else if (this.#writers === 0) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
