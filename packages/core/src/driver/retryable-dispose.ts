/**
 * Makes a dispose that callers may repeat: those who call while one run is under way share it, success is remembered, and a
 * rejection is forgotten, so that the next call tries again and reaches the host.
 * @param run does the work; called once at a time, and never again after it resolved
 */
export function retryableDispose(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  return () => {
    if (current !== undefined) return current;
    // An async function, so that a synchronous throw of `run` counts as a rejection.
    const attempt = (async () => run())();
    current = attempt;
    attempt.catch(() => {
      current = undefined;
    });
    return attempt;
  };
}
