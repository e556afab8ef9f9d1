import {
  AggregationTemporality,
  type Histogram,
  MeterProvider,
  MetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, test } from 'vitest';
import { WarmvmError } from '../driver/error.ts';
import { makeReadyPool } from './fixtures/pool-fixture.ts';
import type { Meter } from './meter.ts';
import { POOL_METRICS, type PoolMetric } from './pool-metrics.ts';

class TestReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** The OpenTelemetry SDK itself, and what it has collected, by name and attributes. */
function makeMeter(temporality = AggregationTemporality.CUMULATIVE): {
  meter: Meter;
  read: () => Promise<Map<string, unknown>>;
  collect: () => Promise<ResourceMetrics>;
} {
  const reader = new TestReader({ aggregationTemporalitySelector: () => temporality });
  const provider = new MeterProvider({ readers: [reader] });
  const collect = async (): Promise<ResourceMetrics> => (await reader.collect()).resourceMetrics;
  const read = async (): Promise<Map<string, unknown>> => {
    const points = new Map<string, unknown>();
    for (const { descriptor, dataPoints } of (await collect()).scopeMetrics.flatMap(({ metrics }) => metrics)) {
      for (const { attributes, value } of dataPoints) {
        const { pool: _, ...others } = attributes;
        points.set([descriptor.name, ...Object.values(others)].join(' '), value);
      }
    }
    return points;
  };
  return { meter: provider.getMeter('warmvm'), read, collect };
}

describe('the meter', () => {
  test('of OpenTelemetry counts, times and observes what the pool does', async () => {
    const { meter, read } = makeMeter();
    const { pool, driver, clock } = await makeReadyPool({ max: 1, meter });
    const lease = await pool.acquire();
    await clock.advance(5_000);
    driver.answer('reset', { reject: new WarmvmError('WARMVM_RESET_FAILED', 'no') });
    const points = await read();
    expect(points.get('warmvm.pool.slots stub leased')).toBe(1);
    expect(points.get('warmvm.pool.waiting')).toBe(0);
    await lease.release();
    await clock.settle();
    const later = await read();
    expect(later.get('warmvm.pool.acquires warm')).toBe(1);
    expect(later.get('warmvm.pool.acquire.wait warm')).toMatchObject({ count: 1, sum: 0 });
    expect(later.get('warmvm.pool.leases stub released')).toBe(1);
    expect(later.get('warmvm.pool.lease.duration stub released')).toMatchObject({ count: 1, sum: 5 });
    expect(later.get('warmvm.pool.phase.duration stub fork ok')).toMatchObject({ count: 2 });
    expect(later.get('warmvm.pool.phase.duration stub reset failed')).toMatchObject({ count: 1 });
    expect(later.get('warmvm.pool.failures stub reset WARMVM_RESET_FAILED')).toBe(1);
    expect(later.get('warmvm.pool.slots stub ready')).toBe(1);
    expect(later.get('warmvm.pool.max')).toBe(1);
    expect(later.get('warmvm.pool.min_ready')).toBe(1);
    expect(later.get('warmvm.pool.host.state stub up')).toBe(1);
    expect(later.get('warmvm.pool.host.state stub down')).toBe(0);
    expect(later.get('warmvm.pool.host.breaker stub closed')).toBe(1);
    driver.forked.at(-1)?.change('crashed');
    await clock.settle();
    expect((await read()).get('warmvm.pool.machines.lost stub')).toBe(1);
    await pool.close();
  });

  test('gets the names, kinds, units, attributes and buckets that are written down, and no others', async () => {
    const { meter, collect } = makeMeter();
    const { pool, driver, clock } = await makeReadyPool({ max: 1, meter });
    driver.answer('reset', { reject: new Error('no') });
    const lease = await pool.acquire();
    await expect(pool.acquire({ timeoutMs: 0 })).rejects.toThrow();
    await lease.release();
    await clock.settle();
    driver.forked.at(-1)?.change('crashed');
    await clock.settle();
    const metrics = (await collect()).scopeMetrics.flatMap((scope) => scope.metrics);
    const silent = ['warmvm.pool.leases.abandoned']; // Only a garbage collection makes it speak.
    expect([...metrics.map(({ descriptor }) => descriptor.name), ...silent].sort()).toEqual(
      Object.keys(POOL_METRICS).sort(),
    );
    for (const { descriptor, dataPoints } of metrics) {
      const plan: PoolMetric | undefined = new Map(Object.entries<PoolMetric>(POOL_METRICS)).get(descriptor.name);
      expect(descriptor.unit, descriptor.name).toBe(plan?.unit ?? '');
      for (const { attributes, value } of dataPoints) {
        const boundaries = (value as Partial<Histogram>).buckets?.boundaries;
        expect(boundaries, descriptor.name).toEqual(plan?.boundaries);
        expect(Object.keys(attributes), descriptor.name).toEqual(Object.keys(plan?.attributes ?? {}));
        for (const [name, value] of Object.entries(attributes)) {
          const allowed = plan?.attributes[name] ?? [];
          if (allowed.length > 0) expect(allowed, `${descriptor.name} ${name}`).toContain(value);
        }
      }
    }
    await pool.close();
  });

  test('observes nothing of a pool that has closed', async () => {
    const { meter, read } = makeMeter(AggregationTemporality.DELTA);
    const { pool } = await makeReadyPool({ meter });
    expect([...(await read()).keys()]).toContain('warmvm.pool.waiting');
    await pool.close();
    expect([...(await read()).keys()]).not.toContain('warmvm.pool.waiting');
  });
});
