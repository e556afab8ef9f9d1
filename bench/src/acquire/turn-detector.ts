/** Tells whether the event loop has turned since its making: without a turn no I/O and no timer can have been waited for. */
export class TurnDetector {
  #turned = false;
  readonly #immediate: NodeJS.Immediate;

  constructor() {
    this.#immediate = setImmediate(() => {
      this.#turned = true;
    });
  }

  /** Ends the watch. */
  stop(): boolean {
    clearImmediate(this.#immediate);
    return this.#turned;
  }
}
