import { Backoff, type Random } from '../backoff/backoff.ts';
import type { Clock } from '../driver/clock.ts';
import type { PrepareProgress } from '../driver/driver.ts';
import type { GoldenImage } from '../driver/image.ts';
import type { Probe } from '../reset/probe.ts';
import {
  type CheckedTimeouts,
  checkClock,
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
  LONGEST_TIMER_MS,
} from '../validation/check.ts';
import { type CheckedHost, type HeartbeatOptions, LARGEST_POOL, parseHeartbeat, parseHosts } from './host-options.ts';
import type { Logger } from './logger.ts';
import type { Meter } from './meter.ts';
import type { BreakerOptions, PoolOptions } from './pool-options.ts';

/** {@link PoolOptions}, checked and with every default filled in. */
export interface CheckedPoolOptions {
  /** One at least. */
  readonly hosts: readonly CheckedHost[];
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
  readonly probe: Probe | undefined;
  readonly onPrepareProgress: ((progress: PrepareProgress, host: string) => void) | undefined;
  readonly creationBackoff: Backoff;
  readonly breaker: Required<BreakerOptions>;
  readonly heartbeat: Required<HeartbeatOptions>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger | undefined;
  readonly meter: Meter | undefined;
  readonly sweep: boolean;
  readonly adopts: boolean;
  readonly maxPassedOver: number;
  readonly creationsPerSecond: number;
  readonly checkIdleEveryMs: number;
  readonly checkStateEveryMs: number;
}

const knownOptions = [
  ...['driver', 'image', 'name', 'minReady', 'max', 'maxAgeMs', 'maxTurns', 'maxIdleMs', 'leaseMs', 'acquireTimeoutMs'],
  ...['maxWaiting', 'prepareTimeoutMs', 'forkTimeoutMs', 'resetTimeoutMs', 'probeTimeoutMs', 'destroyTimeoutMs'],
  ...['resetConcurrency', 'forkConcurrency', 'probe', 'reset', 'creationBackoff', 'breaker', 'clock', 'random'],
  ...['logger', 'meter', 'sweep', 'adopt', 'onPrepareProgress', 'maxPassedOver', 'creationsPerSecond'],
  ...['checkIdleEveryMs', 'checkStateEveryMs', 'drivers', 'heartbeat'],
];

/** @throws TypeError, RangeError naming the option, its value, and what was expected */
export function parsePoolOptions(options: PoolOptions): CheckedPoolOptions {
  checkMethods('options', options, [], 'an object with at least driver or drivers, and image');
  checkKeys('options', options, knownOptions);
  const clock = checkClock(options.clock);
  const random = steadyRandom(
    checkFunction('random', options.random ?? Math.random, 'a function that gives numbers from 0 up to 1'),
  );
  const { forkConcurrency, resetConcurrency } = options;
  const reset = checkChoice('reset', options.reset ?? 'auto', ['auto', 'never']);
  const hosts = parseHosts(options, { forkConcurrency, resetConcurrency, reset });
  const size = checkSize(options.minReady, options.max, hosts);
  return {
    hosts,
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
    probe: checkProbe(options.probe),
    onPrepareProgress:
      options.onPrepareProgress &&
      checkFunction('onPrepareProgress', options.onPrepareProgress, 'a function that is told of the progress'),
    creationBackoff: steadyBackoff(
      checkBackoff(
        options.creationBackoff ?? Backoff.exponential({ baseMs: 500, capMs: 30_000, jitter: 'decorrelated' }, random),
      ),
    ),
    breaker: parseBreaker(options.breaker ?? {}),
    heartbeat: parseHeartbeat(options.heartbeat ?? {}),
    clock,
    random,
    logger: options.logger && checkMethods('logger', options.logger, ['debug', 'info', 'warn', 'error'], 'a logger'),
    meter:
      options.meter &&
      checkMethods('meter', options.meter, ['createCounter', 'createHistogram', 'createObservableGauge'], 'a meter'),
    sweep: checkChoice('sweep', options.sweep ?? true, [true, false]),
    adopts: checkChoice('adopt', options.adopt ?? 'remove', ['reset', 'remove']) === 'reset',
    maxPassedOver: checkUnlessInfinite('maxPassedOver', options.maxPassedOver, 2 ** 31),
    creationsPerSecond: checkUnlessInfinite('creationsPerSecond', options.creationsPerSecond, 1_000_000),
    checkIdleEveryMs: checkDurationMs('checkIdleEveryMs', options.checkIdleEveryMs ?? Number.POSITIVE_INFINITY, {
      minimum: 1,
      unbounded: true,
    }),
    checkStateEveryMs: checkDurationMs('checkStateEveryMs', options.checkStateEveryMs ?? 5_000, {
      minimum: 100,
      unbounded: true,
    }),
  };
}

/**
 * The size in machines: `max` without what drivers keep besides. It defaults to 4 machines, or `minReady` where that is more.
 * @throws TypeError, RangeError
 */
export function checkSize(
  minReady = 1,
  max: number | undefined,
  hosts: readonly { readonly max: number; readonly standby: number }[],
): { readonly minReady: number; readonly max: number } {
  checkInteger('minReady', minReady, 0, LARGEST_POOL);
  const standby = hosts.reduce((sum, host) => sum + host.standby, 0);
  const bound = checkInteger('max', max ?? Math.max(4, minReady) + standby, 1 + standby, LARGEST_POOL);
  if (minReady > bound - standby) {
    const waiting = standby === 0 ? '' : ` less the ${standby} processes that drivers keep waiting`;
    throw new RangeError(`minReady is ${minReady} and max is ${bound}; expected minReady to be at most max${waiting}`);
  }
  const room = hosts.reduce((sum, host) => sum + host.max, 0);
  if (minReady > room) {
    throw new RangeError(`minReady is ${minReady} and the hosts take ${room} by their max; expected no more than that`);
  }
  return { minReady, max: bound - standby };
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

/** A source of jitter that throws, or gives what is not from 0 up to 1, must cost jitter and not a machine. */
function steadyRandom(random: Random): Random {
  return () => {
    try {
      const drawn = random();
      return drawn >= 0 && drawn < 1 ? drawn : 0.5;
    } catch {
      return 0.5;
    }
  };
}

/** Wait where a policy of the caller's throws, ends, or gives what is not a duration. */
const FALLBACK_DELAY_MS = 30_000;

/** The same for a policy of the caller's own. */
function steadyBackoff(backoff: Backoff): Backoff {
  return {
    [Symbol.iterator]() {
      let delays: Iterator<number, unknown> | undefined;
      return {
        next: () => {
          let delayMs: unknown;
          try {
            delays ??= backoff[Symbol.iterator]();
            delayMs = delays.next().value;
          } catch {}
          const isDuration = typeof delayMs === 'number' && delayMs >= 0 && delayMs <= LONGEST_TIMER_MS;
          return { done: false, value: isDuration ? (delayMs as number) : FALLBACK_DELAY_MS };
        },
      };
    },
  };
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
