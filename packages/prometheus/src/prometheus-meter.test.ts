import { createPool, POOL_METRICS, type Pool } from '@warmvm/core';
import { createFakeDriver, type FaultScript, fakeImage } from '@warmvm/driver-fake';
import { Counter, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { prometheusMeter } from './prometheus-meter.ts';

/** Values by series, as a scraper reads the page. Throws on a line that is not in the text format. */
async function scrape(register: Registry): Promise<Map<string, number>> {
  const series = new Map<string, number>();
  for (const line of (await register.metrics()).split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-z_]+ ./.test(line)) continue;
    const parts = /^([a-z_]+)(?:\{((?:[a-z_]+="[^"\\]*",?)*)\})? (\S+)$/.exec(line);
    if (parts === null || Number.isNaN(Number(parts[3]))) throw new Error(`not in the text format: ${line}`);
    const labels = (parts[2] ?? '').split(',').filter((label) => !/^(pool|host)=|^$/.test(label));
    series.set([parts[1], ...labels].join(' '), Number(parts[3]));
  }
  return series;
}

async function makePool(register: Registry, name: string, faults?: FaultScript): Promise<Pool> {
  const driver = createFakeDriver(faults === undefined ? {} : { faults });
  const pool = createPool({ driver, image: fakeImage(), name, max: 2, meter: prometheusMeter(register) });
  await pool.ready();
  return pool;
}

describe('prometheusMeter', () => {
  test('fills the registry with what a pool does, in seconds and with names as Prometheus has them', async () => {
    const register = new Registry();
    const pool = await makePool(register, 'ci', ({ operation }) =>
      operation === 'reset' ? { reject: 'WARMVM_RESET_FAILED' } : undefined,
    );
    const lease = await pool.acquire();
    expect((await scrape(register)).get('warmvm_pool_slots state="leased"')).toBe(1);
    await lease.release();
    await (await pool.acquire()).discard();
    await pool.ready();
    const series = await scrape(register);
    expect(series.get('warmvm_pool_leases_total status="released"')).toBe(1);
    expect(series.get('warmvm_pool_leases_total status="discarded"')).toBe(1);
    expect(series.get('warmvm_pool_lease_duration_seconds_count status="released"')).toBe(1);
    expect(series.get('warmvm_pool_slots state="leased"')).toBe(0);
    expect(series.get('warmvm_pool_max')).toBe(2);
    expect(series.get('warmvm_pool_host_state state="up"')).toBe(1);
    expect(series.get('warmvm_pool_failures_total phase="reset" error_type="WARMVM_RESET_FAILED"')).toBe(1);
    expect(series.get('warmvm_pool_phase_duration_seconds_bucket le="300" phase="fork" outcome="ok"')).toBeGreaterThan(
      0,
    );
    const sum = series.get('warmvm_pool_phase_duration_seconds_sum phase="prepare" outcome="ok"');
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(30); // Of seconds; as milliseconds the 40 of the fake would be above.
    await pool.close();
  });

  test('takes several pools, and forgets the gauges of one that has closed', async () => {
    const register = new Registry();
    const pools = await Promise.all([makePool(register, 'north'), makePool(register, 'south')]);
    expect(await register.metrics()).toMatch(
      /warmvm_pool_waiting\{pool="north"\} 0\nwarmvm_pool_waiting\{pool="south"\} 0/,
    );
    await pools[0].close();
    const page = await register.metrics();
    expect(page).not.toContain('warmvm_pool_waiting{pool="north"}');
    expect(page).toContain('warmvm_pool_waiting{pool="south"} 0');
    await pools[1].close();
  });

  test('registers every metric of a pool and no other', async () => {
    const register = new Registry();
    await (await makePool(register, 'ci')).close();
    expect(register.getMetricsAsArray()).toHaveLength(Object.keys(POOL_METRICS).length);
    expect(() => prometheusMeter(register).createCounter('other')).toThrow(/other is no metric of a pool/);
  });

  test('lets prom-client refuse a name that is taken', () => {
    const register = new Registry();
    new Counter({ name: 'warmvm_pool_acquires_total', help: 'mine', registers: [register] });
    expect(() => prometheusMeter(register).createCounter('warmvm.pool.acquires')).toThrow(/already been registered/);
  });
});
