/**
 * The pool of pre-warmed virtual machines: pool, reset, backoff, state waiting, and the driver contract.
 *
 * @packageDocumentation
 */
export { Backoff, type BackoffPolicies, type ExponentialOptions, type Random } from './backoff/backoff.ts';
export * from './driver/index.ts';
export { type StateCondition, type WaitForStateOptions, waitForState } from './machine/wait-for-state.ts';
export {
  currentOwnerProcess,
  judgeOwner,
  type OwnerFate,
  type ProcessTable,
  systemProcessTable,
} from './owner/owner-process.ts';
export type { BreakerState } from './pool/creation-gate.ts';
export { EVENT_BUFFER, POOL_CHANNEL } from './pool/event-hub.ts';
export type { HostState } from './pool/host-health.ts';
export type { HeartbeatOptions, HostOptions } from './pool/host-options.ts';
export type { Lease, RenewOptions } from './pool/lease.ts';
export type { LeaseStatus, ReleaseOutcome } from './pool/lease-record.ts';
export type { Logger, LogMethod } from './pool/logger.ts';
export type { GaugeCallback, InstrumentOptions, Meter, MeterAttributes } from './pool/meter.ts';
export {
  type AcquireOptions,
  type CloseOptions,
  type CloseReport,
  createPool,
  type Pool,
  type ResizeOptions,
  type RevokedLease,
  type Undestroyed,
} from './pool/pool.ts';
export type { AcquireOutcome, PoolEvent, PoolEventBody, TimedPhase } from './pool/pool-event.ts';
export { POOL_METRICS, type PoolMetric, type PoolMetricName } from './pool/pool-metrics.ts';
export type { BreakerOptions, PoolOptions } from './pool/pool-options.ts';
export type { HostStats, PoolCounters, PoolStats } from './pool/pool-stats.ts';
export type { AnySlotState, SlotState } from './pool/slot.ts';
export type { SlotCounts } from './pool/supply.ts';
export type { Probe, ProbeContext } from './reset/probe.ts';
export { type ForkWatch, type RecycleOutcome, SnapshotReset } from './reset/snapshot-reset.ts';
export type { ResetTimeouts, SnapshotResetOptions } from './reset/snapshot-reset-options.ts';
