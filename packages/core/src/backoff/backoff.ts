import { checkChoice, checkDurationMs, checkFunction } from '../validation/check.ts';

/** Gives numbers from 0 up to but not including 1, as `Math.random` does. */
export type Random = () => number;

/**
 * How long to wait before the next attempt: a sequence of milliseconds that never ends. Pure: each iteration begins
 * anew and has a state of its own, so one policy may serve any number of users.
 */
export interface Backoff {
  [Symbol.iterator](): Iterator<number, never>;
}

/** Options of {@link Backoff.exponential}. */
export interface ExponentialOptions {
  /** Least delay, and the first one where there is no jitter. */
  readonly baseMs: number;
  /** Greatest delay. */
  readonly capMs: number;
  /**
   * `none` doubles from the base up to the cap. `full` draws evenly between the base and that. `decorrelated` draws
   * evenly between the base and three times the delay before. No delay is ever below the base or above the cap.
   * @default 'full'
   */
  readonly jitter?: 'full' | 'decorrelated' | 'none';
}

/** The policies that come with warmvm. */
export interface BackoffPolicies {
  /** 50, 100, 200, 400, and then 500 ms for ever: for asking a hypervisor about a machine that is about to change. */
  statePolling(): Backoff;
  /**
   * Doubling delays with jitter: for attempts that others make too.
   * @param random source of the jitter; default `Math.random`
   * @throws TypeError, RangeError naming the option that is wrong
   */
  exponential(options: ExponentialOptions, random?: Random): Backoff;
}

const statePollingDelaysMs = [50, 100, 200, 400, 500] as const;

function makeBackoff(start: () => () => number): Backoff {
  return {
    [Symbol.iterator]() {
      const nextDelay = start();
      return { next: () => ({ done: false, value: nextDelay() }) };
    },
  };
}

export const Backoff: BackoffPolicies = {
  statePolling: () =>
    makeBackoff(() => {
      let index = 0;
      return () => statePollingDelaysMs[Math.min(index++, statePollingDelaysMs.length - 1)]!;
    }),

  exponential({ baseMs, capMs, jitter = 'full' }, random = Math.random) {
    checkDurationMs('baseMs', baseMs, { minimum: 1 });
    checkDurationMs('capMs', capMs, { minimum: baseMs });
    checkChoice('jitter', jitter, ['full', 'decorrelated', 'none']);
    checkFunction('random', random, 'a function that gives numbers from 0 up to 1');
    const between = (highMs: number): number => baseMs + random() * (highMs - baseMs);
    return makeBackoff(() => {
      let ceilingMs = baseMs;
      let lastMs = baseMs;
      return () => {
        if (jitter === 'decorrelated') {
          lastMs = between(Math.min(capMs, lastMs * 3));
          return lastMs;
        }
        const highMs = ceilingMs;
        ceilingMs = Math.min(capMs, ceilingMs * 2);
        return jitter === 'none' ? highMs : between(highMs);
      };
    });
  },
};
