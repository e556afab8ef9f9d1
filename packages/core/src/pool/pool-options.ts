import type { Backoff, Random } from '../backoff/backoff.ts';
import type { Clock } from '../driver/clock.ts';
import type { Driver, PrepareProgress } from '../driver/driver.ts';
import type { GoldenImage } from '../driver/image.ts';
import type { Probe } from '../reset/probe.ts';
import type { ResetTimeouts } from '../reset/snapshot-reset-options.ts';
import type { HeartbeatOptions, HostOptions } from './host-options.ts';
import type { Logger } from './logger.ts';
import type { Meter } from './meter.ts';

/** When creation is given up for a while. */
export interface BreakerOptions {
  /** Failures in a row that open the breaker. @default 5 */
  readonly failures?: number;
  /** How long it stays open at least. @default 30000 */
  readonly openMs?: number;
  /** Attempts let through when it half-opens; all must go well to close it. @default 1 */
  readonly samples?: number;
  /**
   * While it is open and nothing is ready or lent, refuse an acquire at once with `WARMVM_POOL_EXHAUSTED`, rather than
   * let it wait out its deadline. @default false
   */
  readonly refuse?: boolean;
}

/** Options of {@link createPool}. */
export interface PoolOptions extends ResetTimeouts {
  /** Serves the host on which the machines live. It stays the caller's: close does not dispose it. Either this or `drivers` is given. */
  readonly driver?: Driver;
  /** One for each of several hosts, alone or with a name and limits of its own; 1 to 256. All make machines of the one image. */
  readonly drivers?: readonly (Driver | HostOptions)[];
  /** What every machine is made from. */
  readonly image: GoldenImage;
  /** Names the pool on the host: what a dead process of this name left behind is swept. Letters, digits, `-`, `_`; 1 to 40. @default 'default' */
  readonly name?: string;
  /** Spare ready machines to hold, beside those that are lent. @default 1 */
  readonly minReady?: number;
  /**
   * Bound on footprints on all hosts together, those being made and destroyed included, and what drivers keep besides machines
   * (`capabilities.standby`).
   * @default 4 machines, or minReady where that is more
   */
  readonly max?: number;
  /** Age at which a machine is replaced, less up to a tenth so that machines made together do not go together. @default Infinity */
  readonly maxAgeMs?: number;
  /** Leases after which a machine is replaced rather than reset. @default Infinity */
  readonly maxTurns?: number;
  /** How long a machine beyond `minReady` may stay unused before it is destroyed. @default 60000 */
  readonly maxIdleMs?: number;
  /** How long a lease lasts unless acquire says otherwise or it is renewed. @default 600000 */
  readonly leaseMs?: number;
  /** How long acquire waits unless told otherwise. @default 30000 */
  readonly acquireTimeoutMs?: number;
  /** Callers who may wait at a time; one more is refused. @default 1000 */
  readonly maxWaiting?: number;
  /**
   * Callers who wait with a lower priority are not passed over more often than this, and a few times for other
   * priorities that are due as well. @default Infinity: the higher priority always goes first
   */
  readonly maxPassedOver?: number;
  /** Forks that may begin in a second on one host; as many may begin at once. @default Infinity */
  readonly creationsPerSecond?: number;
  /** How often a ready machine that nobody takes is probed, less up to a tenth; one at a time. @default Infinity: never */
  readonly checkIdleEveryMs?: number;
  /**
   * How often the hypervisor is asked for the state of a machine whose events tell nothing, less up to a tenth. An answer counts like
   * an event. While a machine is in transition, its events are broken, or its driver has none, the pool asks by
   * `Backoff.statePolling()` instead, whatever is said here. 100 at least; `Infinity` for no slow beat. @default 5000
   */
  readonly checkStateEveryMs?: number;
  /** Resets at a time on one host. @default 2 */
  readonly resetConcurrency?: number;
  /** Forks at a time on one host; never more than the driver is good for. @default the driver's concurrentForks */
  readonly forkConcurrency?: number;
  /** Proves a guest ready. @default the guest's ping, or the state where the driver has no guest agent */
  readonly probe?: Probe;
  /** Told what the making of the golden snapshot is at, and on which host; what it throws changes nothing. @default none */
  readonly onPrepareProgress?: (progress: PrepareProgress, host: string) => void;
  /** `auto` resets a machine where the driver can, `never` replaces it after each lease. @default 'auto' */
  readonly reset?: 'auto' | 'never';
  /** Waits between attempts at creation after a failure. @default Backoff.exponential({ baseMs: 500, capMs: 30000, jitter: 'decorrelated' }) */
  readonly creationBackoff?: Backoff;
  /** Each host has a breaker and a backoff of its own. */
  readonly breaker?: BreakerOptions;
  /** How a host that has gone silent is found out. */
  readonly heartbeat?: HeartbeatOptions;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Source of jitter. @default Math.random */
  readonly random?: Random;
  /** Told every event, as plain data at the level it deserves; a pino logger fits as it is. @default none */
  readonly logger?: Logger;
  /** Gets the metrics of `POOL_METRICS`; an OpenTelemetry meter fits as it is. @default none */
  readonly meter?: Meter;
  /** Whether what dead processes of this pool's name left on the host is removed at start. @default true */
  readonly sweep?: boolean;
  /**
   * What becomes of machines that a dead process of this name left, when they were made of this very image: `remove`
   * destroys them, `reset` takes over as many as are wanted, and resets each before it is lent. @default 'remove'
   */
  readonly adopt?: 'reset' | 'remove';
}
