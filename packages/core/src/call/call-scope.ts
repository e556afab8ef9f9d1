/** Something that can be given up. Kept by a {@link CallScope} in place: no wrapper is made. */
export interface Abandonable {
  /** Neighbours in the scope; written by {@link CallScope} alone. */
  previousInScope: Abandonable | undefined;
  nextInScope: Abandonable | undefined;
  /** Leaves the scope before it returns. */
  abandon(reason: unknown): void;
}

/**
 * Calls that are given up together. Does what an AbortSignal would, at a fraction of the cost of a listener for each
 * call, and is asked only once whether it has ended.
 */
export class CallScope {
  #first: Abandonable | undefined;
  #ended: { readonly reason: unknown } | undefined;

  /** Set once the scope has ended. */
  get ended(): { readonly reason: unknown } | undefined {
    return this.#ended;
  }

  /** For a call that is not in. The latest is kept first: most calls end before many others begin. */
  enter(call: Abandonable): void {
    const next = this.#first;
    call.nextInScope = next;
    if (next !== undefined) next.previousInScope = call;
    this.#first = call;
  }

  /** Harmless for a call that is not in. */
  leave(call: Abandonable): void {
    const { previousInScope: previous, nextInScope: next } = call;
    if (previous !== undefined) previous.nextInScope = next;
    else if (this.#first === call) this.#first = next;
    if (next !== undefined) next.previousInScope = previous;
    call.previousInScope = undefined;
    call.nextInScope = undefined;
  }

  /** Gives up every call that is under way, oldest first, and every later one. */
  end(reason: unknown): void {
    this.#ended = { reason };
    const calls: Abandonable[] = [];
    for (let call = this.#first; call !== undefined; call = call.nextInScope) calls.push(call);
    // One that was given up may have ended others, which take no notice of it any more.
    for (const call of calls.reverse()) call.abandon(reason);
  }
}
