import { Backoff, type Random } from '../backoff/backoff.ts';
import type { Clock } from '../driver/clock.ts';
import type { Driver, PrepareProgress } from '../driver/driver.ts';
import type { GoldenImage } from '../driver/image.ts';
import type { Probe } from '../reset/probe.ts';
import {
  type CheckedTimeouts,
  checkClock,
  checkDriver,
  checkImage,
  checkProbe,
  checkTimeouts,
} from '../reset/snapshot-reset-options.ts';
import {
  checkChoice,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKeys,
  checkMethods,
  describeValue,
} from '../validation/check.ts';
import type { BreakerOptions, PoolOptions } from './pool-options.ts';
import type { Logger, Meter } from './telemetry.ts';

/** {@link PoolOptions}, checked and with every default filled in. */
export interface CheckedPoolOptions {
  readonly driver: Driver;
  readonly image: GoldenImage;
  readonly name: string;
  readonly minReady: number;
  readonly max: number;
  readonly maxAgeMs: number;
  readonly maxTurns: number;
  readonly maxIdleMs: number;
  readonly leaseMs: number;
  readonly acquireTimeoutMs: number;
  readonly maxWaiting: number;
  readonly timeouts: CheckedTimeouts;
  readonly resetConcurrency: number;
  readonly forkConcurrency: number;
  readonly probe: Probe | undefined;
  readonly onPrepareProgress: ((progress: PrepareProgress) => void) | undefined;
  readonly resettable: boolean;
  readonly creationBackoff: Backoff;
  readonly breaker: Required<BreakerOptions>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger | undefined;
  readonly meter: Meter | undefined;
  readonly sweep: boolean;
  readonly adopts: boolean;
  readonly maxPassedOver: number;
  readonly creationsPerSecond: number;
  readonly checkIdleEveryMs: number;
}

const knownOptions = [
  ...['driver', 'image', 'name', 'minReady', 'max', 'maxAgeMs', 'maxTurns', 'maxIdleMs', 'leaseMs', 'acquireTimeoutMs'],
  ...['maxWaiting', 'prepareTimeoutMs', 'forkTimeoutMs', 'resetTimeoutMs', 'probeTimeoutMs', 'destroyTimeoutMs'],
  ...['resetConcurrency', 'forkConcurrency', 'probe', 'reset', 'creationBackoff', 'breaker', 'clock', 'random'],
  ...['logger', 'meter', 'sweep', 'adopt', 'onPrepareProgress', 'maxPassedOver', 'creationsPerSecond'],
  ...['checkIdleEveryMs'],
];

/** Most machines one pool may have: more than any single host runs, and small enough to scan. */
export const LARGEST_POOL = 10_000;

/** @throws TypeError, RangeError naming the option, its value, and what was expected */
export function parsePoolOptions(options: PoolOptions): CheckedPoolOptions {
  checkMethods('options', options, [], 'an object with at least driver and image');
  checkKeys('options', options, knownOptions);
  const driver = checkDriver(options.driver);
  const clock = checkClock(options.clock);
  const random = checkFunction('random', options.random ?? Math.random, 'a function that gives numbers from 0 up to 1');
  const size = checkSize(options.minReady, options.max);
  const reset = checkChoice('reset', options.reset ?? 'auto', ['auto', 'never']);
  const isResettable = reset === 'auto' && driver.capabilities.reset !== 'none';
  const concurrentForks = checkInteger(
    'driver.capabilities.concurrentForks',
    driver.capabilities.concurrentForks,
    1,
    LARGEST_POOL,
  );
  return {
    driver,
    image: checkImage(options.image),
    name: checkName(options.name ?? 'default'),
    ...size,
    maxAgeMs: checkDurationMs('maxAgeMs', options.maxAgeMs ?? Number.POSITIVE_INFINITY, {
      minimum: 1,
      unbounded: true,
    }),
    maxTurns: checkUnlessInfinite('maxTurns', options.maxTurns, 2 ** 31),
    maxIdleMs: checkDurationMs('maxIdleMs', options.maxIdleMs ?? 60_000, { minimum: 0, unbounded: true }),
    leaseMs: checkLeaseMs(options.leaseMs ?? 600_000),
    acquireTimeoutMs: checkAcquireTimeoutMs('acquireTimeoutMs', options.acquireTimeoutMs ?? 30_000),
    maxWaiting: checkInteger('maxWaiting', options.maxWaiting ?? 1_000, 0, 10_000_000),
    timeouts: checkTimeouts(options),
    resetConcurrency: checkInteger('resetConcurrency', options.resetConcurrency ?? 2, 1, LARGEST_POOL),
    forkConcurrency: Math.min(
      concurrentForks,
      checkInteger('forkConcurrency', options.forkConcurrency ?? concurrentForks, 1, LARGEST_POOL),
    ),
    probe: checkProbe(options.probe),
    onPrepareProgress:
      options.onPrepareProgress &&
      checkFunction('onPrepareProgress', options.onPrepareProgress, 'a function that is told of the progress'),
    resettable: isResettable,
    creationBackoff: checkBackoff(
      options.creationBackoff ?? Backoff.exponential({ baseMs: 500, capMs: 30_000, jitter: 'decorrelated' }, random),
    ),
    breaker: parseBreaker(options.breaker ?? {}),
    clock,
    random,
    logger: options.logger && checkMethods('logger', options.logger, ['debug', 'info', 'warn', 'error'], 'a logger'),
    meter:
      options.meter &&
      checkMethods('meter', options.meter, ['createCounter', 'createHistogram', 'createObservableGauge'], 'a meter'),
    sweep: checkChoice('sweep', options.sweep ?? true, [true, false]),
    adopts: checkChoice('adopt', options.adopt ?? 'remove', ['reset', 'remove']) === 'reset' && isResettable,
    maxPassedOver: checkUnlessInfinite('maxPassedOver', options.maxPassedOver, 2 ** 31),
    creationsPerSecond: checkUnlessInfinite('creationsPerSecond', options.creationsPerSecond, 1_000_000),
    checkIdleEveryMs: checkDurationMs('checkIdleEveryMs', options.checkIdleEveryMs ?? Number.POSITIVE_INFINITY, {
      minimum: 1,
      unbounded: true,
    }),
  };
}

/** @throws TypeError, RangeError; `max` defaults to 4, or to `minReady` where that is more */
export function checkSize(minReady = 1, max?: number): { readonly minReady: number; readonly max: number } {
  checkInteger('minReady', minReady, 0, LARGEST_POOL);
  const bound = checkInteger('max', max ?? Math.max(4, minReady), 1, LARGEST_POOL);
  if (minReady > bound) {
    throw new RangeError(`minReady is ${minReady} and max is ${bound}; expected minReady to be at most max`);
  }
  return { minReady, max: bound };
}

/** @throws TypeError, RangeError */
export function checkLeaseMs(leaseMs: unknown): number {
  return checkDurationMs('leaseMs', leaseMs, { minimum: 1 });
}

/** @throws TypeError, RangeError */
export function checkAcquireTimeoutMs(name: string, timeoutMs: unknown): number {
  return checkDurationMs(name, timeoutMs, { minimum: 0 });
}

/** @throws TypeError, RangeError */
export function checkPriority(priority: unknown): number {
  return checkInteger('priority', priority, -4, 4);
}

function checkUnlessInfinite(name: string, value: number | undefined, largest: number): number {
  const isInfinite = value === undefined || value === Number.POSITIVE_INFINITY;
  return isInfinite ? Number.POSITIVE_INFINITY : checkInteger(name, value, 1, largest);
}

function checkName(name: string): string {
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,40}$/.test(name)) {
    throw new TypeError(`name is ${describeValue(name)}; expected 1 to 40 letters, digits, - and _`);
  }
  return name;
}

function checkBackoff(backoff: Backoff): Backoff {
  if (typeof backoff?.[Symbol.iterator] !== 'function' || typeof backoff === 'string') {
    throw new TypeError(
      `creationBackoff is ${describeValue(backoff)}; expected a Backoff, such as Backoff.exponential(...)`,
    );
  }
  return backoff;
}

function parseBreaker(breaker: BreakerOptions): Required<BreakerOptions> {
  checkMethods('breaker', breaker, [], 'an object of failures, openMs, samples and refuse');
  checkKeys('breaker', breaker, ['failures', 'openMs', 'samples', 'refuse']);
  return {
    failures: checkInteger('breaker.failures', breaker.failures ?? 5, 1, 1_000_000),
    openMs: checkDurationMs('breaker.openMs', breaker.openMs ?? 30_000, { minimum: 1 }),
    samples: checkInteger('breaker.samples', breaker.samples ?? 1, 1, 1_000),
    refuse: checkChoice('breaker.refuse', breaker.refuse ?? false, [true, false]),
  };
}
