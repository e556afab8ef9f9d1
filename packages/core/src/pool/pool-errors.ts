import { isWarmvmError, WarmvmError } from '../driver/error.ts';
import type { Machine, MachineChange } from '../driver/machine.ts';
import type { MachineRecord } from '../driver/owner.ts';
import type { HeartbeatOptions } from './host-options.ts';
import type { LeaseRecord } from './lease-record.ts';
import type { PoolStats } from './pool-stats.ts';

/** The facts that tell why there was no machine: plain data, without the error objects. */
function factsOf(stats: PoolStats): Readonly<Record<string, unknown>> {
  const { name, slots, total, waiting, minReady, max, breaker, lastPhaseMs } = stats;
  const gauges = { ...slots, total, waiting, minReady, max };
  const hosts = stats.hosts.map((host) => ({
    name: host.name,
    state: host.state,
    breaker: host.breaker,
    isPrepared: host.isPrepared,
    total: host.total,
    max: host.max,
    lastError: host.lastCreationError === undefined ? null : describeError(host.lastCreationError),
  }));
  return { pool: name, gauges, breaker, phases: { ...lastPhaseMs }, hosts };
}

/** Characters of another error's message that are told. */
const TOLD_CHARACTERS = 200;

/** An error as plain data. */
function describeError(error: unknown): { readonly code: string | null; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  return { code: isWarmvmError(error) ? error.code : null, message: message.slice(0, TOLD_CHARACTERS) };
}

/** What is wrong with which of several hosts, in words; empty where nothing is, and for a pool of one host. */
function troubleOf({ hosts }: PoolStats): string {
  if (hosts.length === 1) return '';
  const troubles = hosts.flatMap(({ name, state, lastCreationError }) => {
    if (state === 'up' && lastCreationError === undefined) return [];
    const why = lastCreationError === undefined ? '' : `: ${describeError(lastCreationError).message}`;
    return [`host ${name} is ${state}${why}`];
  });
  return troubles.length === 0 ? '' : `; ${troubles.join('; ')}`;
}

function causeOf(stats: PoolStats): { readonly cause?: unknown } {
  return stats.lastCreationError === undefined ? {} : { cause: stats.lastCreationError };
}

/** Why the spares cannot be had. One host's error is passed on as it is. */
export function hostsError(failing: readonly { readonly name: string; readonly lastError: unknown }[]): unknown {
  const errors = failing.map((host) => host.lastError);
  const [first] = errors;
  if (failing.length === 1) return first;
  const isSame = isWarmvmError(first) && errors.every((error) => isWarmvmError(error, first.code));
  const troubles = failing.map(({ name, lastError }) => ({ name, ...describeError(lastError) }));
  const told = troubles.map(({ name, message }) => `host ${name}: ${message}`).join('; ');
  return new WarmvmError(isSame ? first.code : 'WARMVM_HOST_OPERATION', told, {
    retryable: errors.some((error) => isWarmvmError(error) && error.retryable),
    details: { hosts: troubles },
    cause: new AggregateError(errors),
  });
}

export function acquireTimeoutError(stats: PoolStats, waitedMs: number): WarmvmError {
  const { slots, total, max } = stats;
  const why = stats.lastCreationError === undefined ? '' : '; the last creation failed, see cause';
  const message =
    `pool ${stats.name}: no machine after ${Math.round(waitedMs)} ms (${slots.leased} leased, ${slots.ready} ready, ` +
    `${slots.creating + slots.settling} coming, ${slots.resetting} resetting, ${total} of ${max} in all)${why}${troubleOf(stats)}`;
  return new WarmvmError('WARMVM_ACQUIRE_TIMEOUT', message, {
    retryable: true,
    details: { ...factsOf(stats), waitedMs },
    ...causeOf(stats),
  });
}

export function exhaustedError(stats: PoolStats, why: string): WarmvmError {
  return new WarmvmError('WARMVM_POOL_EXHAUSTED', `pool ${stats.name}: ${why}${troubleOf(stats)}`, {
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

/** The host did not answer one ping. */
export function silentError(host: string, timeoutMs: number): WarmvmError {
  return new WarmvmError('WARMVM_HOST_UNREACHABLE', `host ${host}: no answer to a ping after ${timeoutMs} ms`, {
    retryable: true,
    details: { host, timeoutMs },
  });
}

/** The host did not answer as many pings as are allowed to go unanswered. */
export function mutedError(host: string, heartbeat: Required<HeartbeatOptions>, cause: WarmvmError): WarmvmError {
  const { misses, timeoutMs } = heartbeat;
  const message = `host ${host} counts as lost: ${misses} pings in a row had no answer after ${timeoutMs} ms each`;
  return new WarmvmError('WARMVM_HOST_LOST', message, { retryable: true, details: { host, misses, timeoutMs }, cause });
}
