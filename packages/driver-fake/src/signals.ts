/** Several signals in one, until it is released. */
export interface MergedSignal {
  /** Aborted with the reason of whichever was first. */
  readonly signal: AbortSignal;
  /** Takes every listener off again. */
  release(): void;
}

/** `AbortSignal.any` that leaves no trace on long-lived signals. Earlier signals win when several are aborted already. */
export function mergeSignals(signals: readonly (AbortSignal | undefined)[]): MergedSignal {
  const controller = new AbortController();
  const sources = signals.filter((signal) => signal !== undefined);
  const removals: (() => void)[] = [];
  const release = (): void => {
    for (const remove of removals.splice(0)) remove();
  };
  for (const source of sources) {
    if (source.aborted) {
      controller.abort(source.reason);
      break;
    }
    const onAbort = (): void => {
      release();
      controller.abort(source.reason);
    };
    source.addEventListener('abort', onAbort, { once: true });
    removals.push(() => source.removeEventListener('abort', onAbort));
  }
  if (controller.signal.aborted) release();
  return { signal: controller.signal, release };
}

/** Never resolves; rejects with the reason once the signal is aborted. */
export function untilAborted(signal: AbortSignal): { readonly promise: Promise<never>; release(): void } {
  let onAbort = (): void => {};
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  promise.catch(() => {});
  return { promise, release: () => signal.removeEventListener('abort', onAbort) };
}
