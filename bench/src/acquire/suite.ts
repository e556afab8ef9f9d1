import { createPool, type Lease, type Pool, WarmvmError } from '@warmvm/core';
import { createFakeDriver, createFakeHost, fakeImage } from '@warmvm/driver-fake';
import { Bench } from 'tinybench';
import type { FakeSuite, SuiteContext } from '../suite.ts';
import { TurnDetector } from './turn-detector.ts';

const READY = 5;
const WARM_UP = 200;

/** Leases from a warm pool: what the pool itself costs, since the machines are simulated. */
export const acquireSuite: FakeSuite = {
  name: 'acquire',
  driver: 'fake',
  what: 'a lease from a warm pool, and five at once; release is not timed',
  defaultSamples: 2000,
  async run(context) {
    const host = createFakeHost();
    // Resets at once: nothing of the fake's own waiting is of interest here.
    const driver = createFakeDriver({ host, latency: { resetMs: 0, guestMs: 0, execMs: 0, stateMs: 0 } });
    const pool = createPool({ driver, image: fakeImage(), name: 'bench-acquire', minReady: READY, max: READY });
    try {
      await pool.ready({ signal: context.signal });
      await measure(context, pool);
    } finally {
      await pool.close({ graceMs: 0 });
      await driver[Symbol.asyncDispose]();
    }
  },
};

async function measure({ clock, samples, signal, recorder }: SuiteContext, pool: Pool): Promise<void> {
  let turns = 0;
  const acquire = async (count: number): Promise<{ overriddenDuration: number }> => {
    await allReady(pool, signal);
    const detector = new TurnDetector();
    const startedAt = clock.now();
    const leases = count === 1 ? [await pool.acquire({ signal })] : await Promise.all(acquireMany(pool, count, signal));
    const overriddenDuration = clock.now() - startedAt;
    if (detector.stop()) turns += 1;
    for (const lease of leases) await lease.release();
    return { overriddenDuration };
  };
  const bench = new Bench({
    iterations: samples,
    time: 0,
    warmupIterations: WARM_UP,
    warmupTime: 0,
    retainSamples: true,
    throws: true,
    signal,
  });
  bench.add('acquire', async () => acquire(1));
  bench.add('acquire-5', async () => acquire(READY));
  await bench.run();
  signal.throwIfAborted();
  for (const { name, result } of bench.tasks) {
    if (!('latency' in result) || result.latency.samples === undefined) {
      throw new WarmvmError('WARMVM_NOT_READY', `tinybench gave no samples of ${name}: ${result.state}`);
    }
    for (const sample of result.latency.samples) recorder.add(name, sample);
  }
  recorder.fact('acquires that waited for a turn of the event loop (I/O or timer)', turns);
  recorder.fact('order of samples', 'sorted by tinybench');
}

function acquireMany(pool: Pool, count: number, signal: AbortSignal): Promise<Lease>[] {
  return Array.from({ length: count }, () => pool.acquire({ signal }));
}

/** Warm means: whatever is asked for lies ready. */
async function allReady(pool: Pool, signal: AbortSignal): Promise<void> {
  await pool.ready({ signal });
  const { ready } = pool.stats().slots;
  if (ready !== READY) throw new WarmvmError('WARMVM_NOT_READY', `${ready} machines are ready, expected ${READY}`);
}
