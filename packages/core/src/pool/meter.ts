import { isWarmvmError } from '../driver/error.ts';
import type { EventSink } from './event-hub.ts';
import { BREAKER_STATES, HOST_STATES, POOL_METRICS, type PoolMetric, type PoolMetricName } from './pool-metrics.ts';
import type { PoolStats } from './pool-stats.ts';

/** Labels of a measurement. */
export type MeterAttributes = Record<string, string | number | boolean>;

/** What an instrument is made with. */
export interface InstrumentOptions {
  description?: string;
  unit?: string;
  advice?: { explicitBucketBoundaries?: number[] };
}

/** Asked for the present value when somebody reads. */
export type GaugeCallback = (result: { observe(value: number, attributes?: MeterAttributes): void }) => void;

/** The part of an OpenTelemetry meter that is used; an `@opentelemetry/api` Meter fits as it is. */
export interface Meter {
  createCounter(name: string, options?: InstrumentOptions): { add(value: number, attributes?: MeterAttributes): void };
  createHistogram(
    name: string,
    options?: InstrumentOptions,
  ): { record(value: number, attributes?: MeterAttributes): void };
  createObservableGauge(
    name: string,
    options?: InstrumentOptions,
  ): { addCallback(callback: GaugeCallback): void; removeCallback(callback: GaugeCallback): void };
}

function optionsOf(name: PoolMetricName): InstrumentOptions {
  const { description, unit, boundaries }: PoolMetric = POOL_METRICS[name];
  return {
    description,
    ...(unit === undefined ? {} : { unit }),
    ...(boundaries === undefined ? {} : { advice: { explicitBucketBoundaries: [...boundaries] } }),
  };
}

/** Lets the meter read the gauges. @returns what ends that */
function observeStats(meter: Meter, pool: string, stats: () => PoolStats): () => void {
  const undo: (() => void)[] = [];
  const gauge = (name: PoolMetricName, callback: GaugeCallback): void => {
    const instrument = meter.createObservableGauge(name, optionsOf(name));
    instrument.addCallback(callback);
    undo.push(() => instrument.removeCallback(callback));
  };
  const oneOf = (states: readonly string[], stateOf: (host: PoolStats['hosts'][number]) => string): GaugeCallback => {
    return (result) => {
      for (const host of stats().hosts) {
        for (const state of states) result.observe(stateOf(host) === state ? 1 : 0, { pool, host: host.name, state });
      }
    };
  };
  gauge('warmvm.pool.slots', (result) => {
    for (const { name: host, slots } of stats().hosts) {
      for (const [state, count] of Object.entries(slots)) result.observe(count, { pool, host, state });
    }
  });
  gauge('warmvm.pool.waiting', (result) => result.observe(stats().waiting, { pool }));
  gauge('warmvm.pool.max', (result) => result.observe(stats().max, { pool }));
  gauge('warmvm.pool.min_ready', (result) => result.observe(stats().minReady, { pool }));
  gauge(
    'warmvm.pool.host.state',
    oneOf(HOST_STATES, ({ state }) => state),
  );
  gauge(
    'warmvm.pool.host.breaker',
    oneOf(BREAKER_STATES, ({ breaker }) => breaker),
  );
  return () => {
    for (const end of undo) end();
  };
}

/** Counts and times events on the meter, and lets it observe the gauges until the pool has closed. */
export function meterSink(meter: Meter, pool: string, stats: () => PoolStats): EventSink {
  const counter = (name: PoolMetricName): ReturnType<Meter['createCounter']> =>
    meter.createCounter(name, optionsOf(name));
  const histogram = (name: PoolMetricName): ReturnType<Meter['createHistogram']> =>
    meter.createHistogram(name, optionsOf(name));
  const acquires = counter('warmvm.pool.acquires');
  const waits = histogram('warmvm.pool.acquire.wait');
  const leases = counter('warmvm.pool.leases');
  const leaseTimes = histogram('warmvm.pool.lease.duration');
  const abandoned = counter('warmvm.pool.leases.abandoned');
  const phases = histogram('warmvm.pool.phase.duration');
  const failures = counter('warmvm.pool.failures');
  const lost = counter('warmvm.pool.machines.lost');
  const stopObserving = observeStats(meter, pool, stats);
  return (event) => {
    switch (event.type) {
      case 'acquire-settled':
        acquires.add(1, { pool, outcome: event.outcome });
        waits.record(event.waitedMs / 1_000, { pool, outcome: event.outcome });
        break;
      case 'lease-ended':
        leases.add(1, { pool, host: event.host, status: event.status });
        leaseTimes.record(event.heldMs / 1_000, { pool, host: event.host, status: event.status });
        break;
      case 'lease-abandoned':
        abandoned.add(1, { pool, host: event.host });
        break;
      case 'phase-ended': {
        const { host, phase, durationMs, error } = event;
        const outcome = error === undefined ? 'ok' : 'failed';
        phases.record(durationMs / 1_000, { pool, host, phase, outcome });
        const type = isWarmvmError(error) ? error.code : '_OTHER';
        if (error !== undefined) failures.add(1, { pool, host, phase, 'error.type': type });
        break;
      }
      case 'machine-lost':
        lost.add(1, { pool, host: event.host });
        break;
      case 'closed':
        stopObserving();
        break;
      default:
    }
  };
}
