import { randomUUID } from 'node:crypto';
import type { CallScope } from '../call/call-scope.ts';
import type { Deadlines } from '../deadline/deadlines.ts';
import type { Driver } from '../driver/driver.ts';
import type { OwnerTag } from '../driver/owner.ts';
import { currentOwnerProcess } from '../owner/owner-process.ts';
import { SnapshotReset } from '../reset/snapshot-reset.ts';
import { CreationGate } from './creation-gate.ts';
import type { CheckedPoolOptions } from './parse-options.ts';
import { Permits } from './permits.ts';
import { RateBucket } from './rate-bucket.ts';

/** Everything that belongs to one host: its driver, its golden snapshot and its limits. A slot names the host it is on. */
export interface PoolHost {
  readonly driver: Driver;
  /** Mark on everything that this pool makes there. */
  readonly owner: OwnerTag;
  readonly snapshotReset: SnapshotReset;
  /** Forks at a time. */
  readonly forks: Permits;
  /** Resets at a time. */
  readonly resets: Permits;
  /** How often a fork may begin. */
  readonly rate: RateBucket;
  /** When creation may be attempted. */
  readonly gate: CreationGate;
  /** Whether its machines are reset at all, rather than replaced. */
  readonly resettable: boolean;
}

/** A listener's fault is its own: the boot that it is told of must not suffer from it. */
function harmless<Told>(listener: (told: Told) => void): (told: Told) => void {
  return (told) => {
    try {
      listener(told);
    } catch {}
  };
}

/** @param within whose timer bounds the calls of the driver, and what ends them when the pool closes */
export function makePoolHost(
  options: CheckedPoolOptions,
  within: { readonly deadlines: Deadlines; readonly scope: CallScope },
): PoolHost {
  const { driver, image, name, clock, timeouts, breaker, creationBackoff } = options;
  const owner = { pool: name, instance: randomUUID(), process: currentOwnerProcess() };
  const probe = options.probe === undefined ? {} : { probe: options.probe };
  const onProgress = options.onPrepareProgress === undefined ? {} : { onProgress: harmless(options.onPrepareProgress) };
  const reset = { driver, image, owner, clock, ...timeouts, ...probe, ...onProgress };
  return {
    driver,
    owner,
    snapshotReset: new SnapshotReset(reset, within),
    forks: new Permits(options.forkConcurrency),
    resets: new Permits(options.resetConcurrency),
    rate: new RateBucket(options.creationsPerSecond),
    gate: new CreationGate({ backoff: creationBackoff, ...breaker }),
    resettable: options.resettable,
  };
}
