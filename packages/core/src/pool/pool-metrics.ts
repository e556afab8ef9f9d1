import type { BreakerState } from './creation-gate.ts';
import type { HostState } from './host-health.ts';
import type { LeaseStatus } from './lease-record.ts';
import type { AcquireOutcome, TimedPhase } from './pool-event.ts';
import type { SlotCounts } from './supply.ts';

/** What one metric of a pool is. */
export interface PoolMetric {
  readonly kind: 'counter' | 'histogram' | 'gauge';
  /** As OpenTelemetry writes units: `s`, or what is counted in braces. Absent where the value is 1 or 0. */
  readonly unit?: string;
  readonly description: string;
  /** Every attribute that every measurement has, with its values; empty for names that the user gave. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  /** Of a histogram: the upper bounds of its buckets. */
  readonly boundaries?: readonly number[];
}

/** Name of a metric of a pool. */
export type PoolMetricName =
  | 'warmvm.pool.acquires'
  | 'warmvm.pool.acquire.wait'
  | 'warmvm.pool.leases'
  | 'warmvm.pool.lease.duration'
  | 'warmvm.pool.leases.abandoned'
  | 'warmvm.pool.phase.duration'
  | 'warmvm.pool.failures'
  | 'warmvm.pool.machines.lost'
  | 'warmvm.pool.slots'
  | 'warmvm.pool.waiting'
  | 'warmvm.pool.max'
  | 'warmvm.pool.min_ready'
  | 'warmvm.pool.host.state'
  | 'warmvm.pool.host.breaker';

/** Named by the keys of a record, so that the compiler finds the one that is missing. */
function names<Name extends string>(record: Readonly<Record<Name, true>>): readonly string[] {
  return Object.keys(record);
}

const pool: readonly string[] = [];
const host: readonly string[] = [];
const outcome = names<AcquireOutcome>({
  warm: true,
  waited: true,
  timeout: true,
  aborted: true,
  refused: true,
  closed: true,
});
const status = names<Exclude<LeaseStatus, 'active'>>({
  released: true,
  discarded: true,
  expired: true,
  lost: true,
  revoked: true,
});
const phase = names<TimedPhase>({ prepare: true, fork: true, detect: true, probe: true, reset: true, destroy: true });
const slotState = names<keyof SlotCounts>({
  creating: true,
  settling: true,
  ready: true,
  leased: true,
  resetting: true,
  destroying: true,
  quarantined: true,
});

/** States of a host, as the gauge of them names them. */
export const HOST_STATES: readonly string[] = names<HostState>({ up: true, draining: true, down: true });

/** States of a breaker, as the gauge of them names them. */
export const BREAKER_STATES: readonly string[] = names<BreakerState>({ closed: true, open: true, 'half-open': true });

/** What a pool tells a meter. No attribute names a lease, a machine or a slot: the number of series is bounded by the number of hosts. */
export const POOL_METRICS: Readonly<Record<PoolMetricName, PoolMetric>> = {
  'warmvm.pool.acquires': {
    kind: 'counter',
    unit: '{acquire}',
    description: 'Calls of acquire that have settled',
    attributes: { pool, outcome },
  },
  'warmvm.pool.acquire.wait': {
    kind: 'histogram',
    unit: 's',
    description: 'Time in line; 0 for who was served or refused at once',
    attributes: { pool, outcome },
    boundaries: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  'warmvm.pool.leases': {
    kind: 'counter',
    unit: '{lease}',
    description: 'Leases that have ended',
    attributes: { pool, host, status },
  },
  'warmvm.pool.lease.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Time from grant to end of a lease',
    attributes: { pool, host, status },
    boundaries: [0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600],
  },
  'warmvm.pool.leases.abandoned': {
    kind: 'counter',
    unit: '{lease}',
    description: 'Leases whose holder was collected as garbage; they go on until they expire',
    attributes: { pool, host },
  },
  'warmvm.pool.phase.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Time that a step took, also one that failed',
    attributes: { pool, host, phase, outcome: ['ok', 'failed'] },
    boundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  },
  'warmvm.pool.failures': {
    kind: 'counter',
    unit: '{failure}',
    description: 'Steps that have failed; the type is the code of the error, or _OTHER',
    attributes: { pool, host, phase, 'error.type': [] },
  },
  'warmvm.pool.machines.lost': {
    kind: 'counter',
    unit: '{machine}',
    description: 'Machines that died while they were ready or lent',
    attributes: { pool, host },
  },
  'warmvm.pool.slots': {
    kind: 'gauge',
    unit: '{slot}',
    description: 'Slots in a state',
    attributes: { pool, host, state: slotState },
  },
  'warmvm.pool.waiting': {
    kind: 'gauge',
    unit: '{caller}',
    description: 'Callers in line',
    attributes: { pool },
  },
  'warmvm.pool.max': {
    kind: 'gauge',
    unit: '{slot}',
    description: 'Slots allowed on all hosts together',
    attributes: { pool },
  },
  'warmvm.pool.min_ready': {
    kind: 'gauge',
    unit: '{slot}',
    description: 'Spare ready machines wanted',
    attributes: { pool },
  },
  'warmvm.pool.host.state': {
    kind: 'gauge',
    description: '1 for the state that a host is in, 0 for the others',
    attributes: { pool, host, state: HOST_STATES },
  },
  'warmvm.pool.host.breaker': {
    kind: 'gauge',
    description: '1 for the state that the breaker of a host is in, 0 for the others',
    attributes: { pool, host, state: BREAKER_STATES },
  },
};
