import { isWarmvmError } from './error.ts';

interface Job<Result> {
  readonly controller: AbortController;
  readonly result: Promise<Result>;
  followers: number;
}

/**
 * Jobs that many callers join by key. Each caller may leave alone by its signal; the work is aborted only when the last
 * has left. A job that failed is forgotten, so that the next caller starts it anew; one that succeeded is kept only while under way.
 */
export class JoinedJobs<Result> {
  readonly #jobs = new Map<string, Job<Result>>();

  /**
   * Joins the job of this key, or starts it with `work`. The last caller to leave waits until the aborted work has taken back what
   * it made.
   * @throws what the work threw; the signal's reason when this caller leaves, unless it is the last one and the work says in
   * `details.leftBehind` what it could not take back
   */
  async join(
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    signal?.throwIfAborted();
    const job = this.#jobs.get(key) ?? this.#start(key, work);
    job.followers += 1;
    try {
      return await untilAborted(job.result, signal);
    } catch (error) {
      const left = job.followers === 1 ? await this.#abandon(key, job, signal) : undefined;
      throw left ?? error;
    } finally {
      job.followers -= 1;
    }
  }

  /** The error of a work that was given up, if it tells of something left behind. */
  async #abandon(key: string, job: Job<Result>, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#jobs.get(key) === job) this.#jobs.delete(key);
    job.controller.abort(signal?.reason);
    const end = await job.result.catch((error: unknown) => error);
    return isWarmvmError(end) && 'leftBehind' in end.details ? end : undefined;
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<Result>): Job<Result> {
    const controller = new AbortController();
    const result = (async () => work(controller.signal))();
    const job: Job<Result> = { controller, result, followers: 0 };
    const forget = (): void => {
      if (this.#jobs.get(key) === job) this.#jobs.delete(key);
    };
    result.then(forget, forget);
    this.#jobs.set(key, job);
    return job;
  }
}

async function untilAborted<Result>(result: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return result;
  let onAbort = (): void => {};
  const left = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([result, left]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
