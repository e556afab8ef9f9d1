import type { EventSink } from './event-hub.ts';
import type { PoolEvent } from './pool-event.ts';
import type { PoolStats } from './pool-stats.ts';
import { countTotal } from './supply.ts';

/** Where a pool writes what people should know. Any of the usual loggers fits, with the message first. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Labels of a measurement. */
export type MeterAttributes = Record<string, string | number | boolean>;

/** The part of an OpenTelemetry meter that is used; an `@opentelemetry/api` Meter fits as it is. */
export interface Meter {
  createCounter(
    name: string,
    options?: { description?: string; unit?: string },
  ): { add(value: number, attributes?: MeterAttributes): void };
  createHistogram(
    name: string,
    options?: { description?: string; unit?: string },
  ): { record(value: number, attributes?: MeterAttributes): void };
  createObservableGauge(
    name: string,
    options?: { description?: string; unit?: string },
  ): {
    addCallback(callback: (result: { observe(value: number, attributes?: MeterAttributes): void }) => void): void;
  };
}

type Level = keyof Logger;

function levelOf(event: PoolEvent): Level {
  switch (event.type) {
    case 'host-down':
    case 'quarantined':
      return 'error';
    case 'creation-failed':
    case 'lease-abandoned':
    case 'machine-lost':
    case 'sweep-failed':
      return 'warn';
    case 'breaker-changed':
      return event.to === 'open' ? 'error' : 'info';
    case 'phase-ended':
      return event.error === undefined ? 'debug' : 'warn';
    case 'host-up':
    case 'host-draining':
    case 'host-drained':
    case 'host-undrained':
    case 'swept':
    case 'resized':
    case 'suspended':
    case 'resumed':
    case 'closing':
    case 'closed':
      return 'info';
    default:
      return 'debug';
  }
}

/** Writes every event to the logger, each at the level it deserves. */
export function logSink(logger: Logger): EventSink {
  return (event) => {
    const { type, ...fields } = event;
    logger[levelOf(event)](`pool ${event.pool}: ${type}`, fields);
  };
}

/** Counts and times events on the meter, and lets it observe the gauges. */
export function meterSink(meter: Meter, pool: string, stats: () => PoolStats): EventSink {
  const acquires = meter.createCounter('warmvm.pool.acquires', { description: 'Calls of acquire, by outcome' });
  const leases = meter.createCounter('warmvm.pool.leases', { description: 'Leases that ended, by how' });
  const failures = meter.createCounter('warmvm.pool.failures', { description: 'Steps that failed, by step' });
  const waits = meter.createHistogram('warmvm.pool.acquire.wait', { unit: 'ms' });
  const phases = meter.createHistogram('warmvm.pool.phase.duration', { unit: 'ms' });
  const slots = meter.createObservableGauge('warmvm.pool.slots', { description: 'Slots, by state' });
  const waiting = meter.createObservableGauge('warmvm.pool.waiting', { description: 'Callers in line' });
  slots.addCallback((result) => {
    for (const [state, count] of Object.entries(stats().slots)) result.observe(count, { pool, state });
    result.observe(countTotal(stats().slots), { pool, state: 'total' });
  });
  const hostSlots = meter.createObservableGauge('warmvm.pool.host.slots', { description: 'Slots of a host, by state' });
  const hostStates = meter.createObservableGauge('warmvm.pool.host.state', {
    description: '1 for the state that a host is in',
  });
  hostSlots.addCallback((result) => {
    for (const { name: host, slots, total } of stats().hosts) {
      for (const [state, count] of Object.entries(slots)) result.observe(count, { pool, host, state });
      result.observe(total, { pool, host, state: 'total' });
    }
  });
  hostStates.addCallback((result) => {
    for (const { name: host, state } of stats().hosts) {
      for (const each of ['up', 'draining', 'down'])
        result.observe(each === state ? 1 : 0, { pool, host, state: each });
    }
  });
  waiting.addCallback((result) => result.observe(stats().waiting, { pool }));
  return (event) => {
    if (event.type === 'acquire-settled') {
      acquires.add(1, { pool, outcome: event.outcome });
      waits.record(event.waitedMs, { pool, outcome: event.outcome });
    } else if (event.type === 'lease-ended') leases.add(1, { pool, host: event.host, status: event.status });
    else if (event.type === 'phase-ended') {
      const outcome = event.error === undefined ? 'ok' : 'failed';
      phases.record(event.durationMs, { pool, host: event.host, phase: event.phase, outcome });
      if (event.error !== undefined) failures.add(1, { pool, host: event.host, phase: event.phase });
    }
  };
}
