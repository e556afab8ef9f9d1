/** Things to dispose in the reverse order of their making. Node 22 has no AsyncDisposableStack yet. */
export class DisposeStack implements AsyncDisposable {
  readonly #things: AsyncDisposable[] = [];

  /** Takes note of a thing and gives it back. */
  use<Thing extends AsyncDisposable>(thing: Thing): Thing {
    this.#things.push(thing);
    return thing;
  }

  /** Disposes everything, also what comes after a failure. @throws the first failure */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const thing of this.#things.splice(0).reverse()) {
      try {
        await thing[Symbol.asyncDispose]();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
