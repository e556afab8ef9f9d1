import type { CallOptions } from '../driver/call.ts';
import type { MachineId } from '../driver/machine.ts';
import type { Lease } from './lease.ts';
import { parsePoolOptions } from './parse-options.ts';
import type { PoolEvent } from './pool-event.ts';
import type { PoolOptions } from './pool-options.ts';
import type { PoolStats } from './pool-stats.ts';
import { WarmPool } from './warm-pool.ts';

/** Options of {@link Pool.acquire}. */
export interface AcquireOptions extends CallOptions {
  /** How long to wait; 0 does not wait. @default the pool's acquireTimeoutMs */
  readonly timeoutMs?: number;
  /** How long the lease lasts unless renewed. @default the pool's leaseMs */
  readonly leaseMs?: number;
  /** Who goes first in line: a whole number from -4 to 4, larger before smaller, in order of arrival where equal. @default 0 */
  readonly priority?: number;
}

/** Options of {@link Pool.close}. */
export interface CloseOptions extends CallOptions {
  /** How long leases may still last before they are revoked. A later call may shorten it. @default 0 */
  readonly graceMs?: number;
}

/** A footprint that close could not destroy. */
export interface Undestroyed {
  /** Name of the host that it may still be on. */
  readonly host: string;
  /** Null when a fork was given up and never settled. */
  readonly machineId: MachineId | null;
  readonly error: unknown;
}

/** A lease that close took back. */
export interface RevokedLease {
  readonly host: string;
  readonly machineId: MachineId;
  readonly turn: number;
}

/** What {@link Pool.close} did. */
export interface CloseReport {
  readonly durationMs: number;
  /** Leases that were taken back since their holders did not release them in time. */
  readonly revoked: readonly RevokedLease[];
  /** What may still be on the hosts. */
  readonly undestroyed: readonly Undestroyed[];
}

/** Options of {@link Pool.resize}. */
export interface ResizeOptions {
  /** @default as it is */
  readonly minReady?: number;
  /** @default as it is */
  readonly max?: number;
}

/** Keeps machines ready and lends them. Starts to fill as soon as it is made. Dispose closes it without grace. */
export interface Pool extends AsyncDisposable {
  readonly name: string;
  /**
   * Resolves when the golden snapshot is prepared, on one host at least, and `minReady` spare machines are ready.
   * @throws the cause when the golden snapshot cannot be prepared or the breaker is open, on so many hosts that the spares
   * cannot be had on the others; WARMVM_POOL_CLOSED; the signal's reason
   */
  ready(options?: CallOptions): Promise<void>;
  /**
   * Lends a machine: at once when one is ready, else by priority and in order of arrival.
   * @throws WARMVM_ACQUIRE_TIMEOUT, WARMVM_POOL_EXHAUSTED, WARMVM_POOL_CLOSED; the signal's reason; RangeError, TypeError for a bad option
   */
  acquire(options?: AcquireOptions): Promise<Lease>;
  /**
   * Lends a machine that is ready now, and never waits.
   * @throws WARMVM_POOL_EXHAUSTED, WARMVM_POOL_CLOSED, synchronously; RangeError, TypeError for a bad option
   */
  tryAcquire(options?: Pick<AcquireOptions, 'leaseMs'>): Lease;
  stats(): PoolStats;
  /** What happens from now on. A reader that lags more than 1,024 events behind loses the oldest and is told how many. Ends after close. */
  events(): AsyncIterableIterator<PoolEvent>;
  /** Changes the size. Lent machines are never taken; they go when they return. @throws RangeError, TypeError */
  resize(size: ResizeOptions): void;
  /**
   * Takes a host out of use: from now on nothing is made or lent there, what is ready there is destroyed, and what is lent goes
   * when it is given back. What is missing is made on the other hosts. Its golden snapshot stays.
   * @returns true when nothing of the pool is left there, false when it was undrained before that
   * @throws RangeError when there is no host of that name; WARMVM_POOL_CLOSED; the signal's reason, which undrains nothing
   */
  drain(host: string, options?: CallOptions): Promise<boolean>;
  /** Takes a host into use again. @throws RangeError when there is no host of that name */
  undrain(host: string): void;
  /** Lends nothing until {@link resume}; deadlines of those in line go on. */
  suspend(): void;
  resume(): void;
  /**
   * Refuses and rejects at once who waits, destroys everything, leases after their grace. Idempotent: every call gets
   * the same report. An aborted call stops waiting; the closing goes on.
   * @throws the signal's reason; RangeError, TypeError for a bad option
   */
  close(options?: CloseOptions): Promise<CloseReport>;
}

/**
 * Makes a pool and starts to fill it.
 * @throws TypeError, RangeError naming the option that is wrong, its value, and what was expected
 */
export function createPool(options: PoolOptions): Pool {
  return new WarmPool(parsePoolOptions(options));
}
