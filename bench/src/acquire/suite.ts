import { createPool, type Lease, type Pool, WarmvmError } from '@warmvm/core';
import { Bench } from 'tinybench';
import { isSimulated } from '../host/bench-host.ts';
import type { HostSuite, SuiteContext } from '../suite.ts';
import { TurnDetector } from './turn-detector.ts';

const READY = 5;
const WARM_UP = 200;
/** Real machines are reset after every lease: so many samples there. */
const REAL_SAMPLES = 40;
const REAL_WARM_UP = 5;
const QUEUED = 'over capacity, in line';

/** Leases from a warm pool, and from one that is lent out. */
export const acquireSuite: HostSuite = {
  name: 'acquire',
  what: 'a lease from a warm pool, five at once, and five more than there are machines; release is not timed',
  defaultSamples: 2000,
  simulated: true,
  processes: 5,
  needs: [],
  async run(context, host) {
    const isQuick = isSimulated(host);
    const driver = await host.driver();
    const image = await host.image();
    const samples = isQuick ? context.samples : Math.min(context.samples, REAL_SAMPLES);
    const options = { driver, image, name: 'bench-acquire', minReady: READY, max: READY };
    const pool = createPool(options);
    try {
      await pool.ready({ signal: context.signal });
      await measure({ ...context, samples }, pool, isQuick ? WARM_UP : REAL_WARM_UP);
      const rounds = Math.ceil(samples / READY);
      for (let round = 1; round <= rounds; round += 1) {
        await overCapacity(context, pool);
        context.rounds(round, rounds);
      }
    } finally {
      await pool.close({ graceMs: 0 });
      await driver[Symbol.asyncDispose]();
    }
    context.recorder.fact(
      'over capacity',
      `${READY} machines are lent, ${READY} callers wait; a reset and a probe lie between`,
    );
  },
};

async function measure({ clock, samples, signal, recorder }: SuiteContext, pool: Pool, warmUp: number): Promise<void> {
  let turns = 0;
  let left = { acquire: warmUp, 'acquire-5': warmUp };
  const acquire = async (name: keyof typeof left, count: number): Promise<{ overriddenDuration: number }> => {
    await allReady(pool, signal);
    const detector = new TurnDetector();
    const startedAt = clock.now();
    const leases = count === 1 ? [await pool.acquire({ signal })] : await Promise.all(acquireMany(pool, count, signal));
    const overriddenDuration = clock.now() - startedAt;
    if (detector.stop()) turns += 1;
    // tinybench sorts its samples; here they are kept in the order in which they came.
    if (left[name] > 0) left = { ...left, [name]: left[name] - 1 };
    else recorder.add(name, overriddenDuration);
    for (const lease of leases) await lease.release();
    return { overriddenDuration };
  };
  const options = { iterations: samples, time: 0, warmupIterations: warmUp, warmupTime: 0, throws: true, signal };
  const bench = new Bench(options);
  bench.add('acquire', async () => acquire('acquire', 1));
  bench.add('acquire-5', async () => acquire('acquire-5', READY));
  await bench.run();
  signal.throwIfAborted();
  recorder.fact('acquires that waited for a turn of the event loop (I/O or timer)', turns);
}

/** Five callers get the machines, five wait in line; each of the first releases, and the line moves on. */
async function overCapacity({ clock, signal, recorder }: SuiteContext, pool: Pool): Promise<void> {
  await allReady(pool, signal);
  const first = await Promise.all(acquireMany(pool, READY, signal));
  const startedAt = clock.now();
  const waiting = acquireMany(pool, READY, signal).map(async (promise) => {
    const lease = await promise;
    const waitedMs = clock.now() - startedAt;
    recorder.add(QUEUED, waitedMs);
    recorder.stages('acquire, over capacity', { queue: waitedMs });
    return lease;
  });
  for (const lease of first) await lease.release();
  for (const lease of await Promise.all(waiting)) await lease.release();
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
