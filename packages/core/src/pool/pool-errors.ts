import { isWarmvmError, WarmvmError } from '../driver/error.ts';
import type { Machine, MachineChange } from '../driver/machine.ts';
import type { MachineRecord } from '../driver/owner.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { PoolStats } from './pool-stats.ts';

/** The facts that tell why there was no machine: plain data, without the error objects. */
function factsOf(stats: PoolStats): Readonly<Record<string, unknown>> {
  const { name, slots, total, waiting, minReady, max, breaker, lastPhaseMs } = stats;
  return { pool: name, gauges: { ...slots, total, waiting, minReady, max }, breaker, phases: { ...lastPhaseMs } };
}

function causeOf(stats: PoolStats): { readonly cause?: unknown } {
  return stats.lastCreationError === undefined ? {} : { cause: stats.lastCreationError };
}

export function acquireTimeoutError(stats: PoolStats, waitedMs: number): WarmvmError {
  const { slots, total, max } = stats;
  const why = stats.lastCreationError === undefined ? '' : '; the last creation failed, see cause';
  const message =
    `pool ${stats.name}: no machine after ${Math.round(waitedMs)} ms (${slots.leased} leased, ${slots.ready} ready, ` +
    `${slots.creating + slots.settling} coming, ${slots.resetting} resetting, ${total} of ${max} in all)${why}`;
  return new WarmvmError('WARMVM_ACQUIRE_TIMEOUT', message, {
    retryable: true,
    details: { ...factsOf(stats), waitedMs },
    ...causeOf(stats),
  });
}

export function exhaustedError(stats: PoolStats, why: string): WarmvmError {
  return new WarmvmError('WARMVM_POOL_EXHAUSTED', `pool ${stats.name}: ${why}`, {
    retryable: true,
    details: factsOf(stats),
    ...causeOf(stats),
  });
}

export function closedError(name: string): WarmvmError {
  return new WarmvmError('WARMVM_POOL_CLOSED', `pool ${name} is closed`, { details: { pool: name } });
}

export function expiredError(record: LeaseRecord, heldMs: number): WarmvmError {
  const { machine, turn, generation } = record;
  return new WarmvmError(
    'WARMVM_LEASE_EXPIRED',
    `the lease of machine ${machine.id} (turn ${turn}) expired after ${Math.round(heldMs)} ms; renew it in time or ask for a longer one`,
    { details: { machineId: machine.id, turn, generation, heldMs } },
  );
}

export function crashedError(machine: Machine, change: MachineChange): WarmvmError {
  const code = change.state === 'crashed' ? 'WARMVM_MACHINE_CRASHED' : 'WARMVM_MACHINE_GONE';
  return new WarmvmError(code, `machine ${machine.id} is ${change.state}: ${change.reason}`, {
    details: { machineId: machine.id, state: change.state, reason: change.reason, generation: change.generation },
  });
}

export function goneError(machine: Machine, cause: unknown): WarmvmError {
  return new WarmvmError('WARMVM_MACHINE_GONE', `machine ${machine.id} is not known to its host any more`, {
    details: { machineId: machine.id },
    cause,
  });
}

export function adoptTimeoutError(record: MachineRecord, timeoutMs?: number): WarmvmError {
  const after = timeoutMs === undefined ? 'in time' : `after ${timeoutMs} ms (forkTimeoutMs)`;
  return new WarmvmError('WARMVM_HOST_OPERATION', `adopt machine ${record.id}: not done ${after}`, {
    retryable: true,
    details: { machineId: record.id },
  });
}

/** Whether another attempt at preparing cannot help. */
export function isFinal(error: unknown): boolean {
  // A golden snapshot that went missing is made anew: its code tells of a fork, not of the preparing.
  return isWarmvmError(error) && !error.retryable && error.code !== 'WARMVM_GOLDEN_MISSING';
}
