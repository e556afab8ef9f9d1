import { availableParallelism } from 'node:os';
import { createPool, type Pool } from '@warmvm/core';
import { type Dirt, dirtFor } from '../dirt.ts';
import { type HostSuite, hostWith, type SuiteContext } from '../suite.ts';

const MACHINES = 3;
/** Cycles that make one sample of the rate. */
const BLOCK = 10;
const FIGURE = 'machines per minute and CPU';

/** What a pool is for, again and again: a machine, work in it that leaves dirt, and back. */
export const cycleSuite: HostSuite = {
  name: 'cycle',
  what: `acquire, run, dirty and release, over and over, by ${MACHINES} callers on ${MACHINES} machines; and what is left of it`,
  defaultSamples: 200,
  simulated: true,
  needs: ['objects'],
  async run(context, anyHost) {
    const { clock, signal, samples, recorder, rounds } = context;
    const host = hostWith(anyHost, 'objects');
    const dirt = dirtFor(host);
    const before = new Set(await host.objects());
    const driver = await host.driver();
    const options = {
      driver,
      image: await host.image(),
      name: 'bench-cycle',
      minReady: MACHINES,
      max: MACHINES,
      clock,
    };
    const blocks = Math.ceil(samples / BLOCK);
    try {
      const pool = createPool(options);
      try {
        await pool.ready({ signal });
        for (let block = 0; block <= blocks; block += 1) {
          const startedAt = clock.now();
          await cycles(context, pool, dirt, block > 0);
          const minutes = (clock.now() - startedAt) / 60_000;
          // Block 0 is warm-up.
          if (block === 0) continue;
          recorder.add(FIGURE, BLOCK / minutes / availableParallelism(), 'machines/min');
          rounds(block, blocks);
        }
        const { resets, created } = pool.stats().counters;
        recorder.fact('resets', resets);
        recorder.fact('forks', created);
      } finally {
        await pool.close({ graceMs: 0 });
      }
      const goldens = await driver.list({ pool: 'bench-cycle' }, { signal });
      for (const record of goldens) await driver.remove(record, { signal });
    } finally {
      await driver[Symbol.asyncDispose]();
    }
    const left = (await host.objects()).filter((name) => !before.has(name));
    recorder.add('objects left behind', left.length, 'count');
    recorder.fact('cycles', blocks * BLOCK);
    for (const [index, name] of left.slice(0, 5).entries()) recorder.fact(`left behind, ${index + 1}`, name);
  },
};

/** One block of cycles by callers that take the next as soon as they have released one; ends when all machines are ready again. */
async function cycles(
  { clock, signal, recorder }: SuiteContext,
  pool: Pool,
  dirt: Dirt,
  isCounted: boolean,
): Promise<void> {
  let left = BLOCK;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const startedAt = clock.now();
      const lease = await pool.acquire({ signal });
      const acquiredAt = clock.now();
      await dirt.write(lease.guest, signal);
      const endedAt = clock.now();
      await lease.release();
      if (isCounted) recorder.stages('cycle', { queue: acquiredAt - startedAt, exec: endedAt - acquiredAt });
    }
  };
  await Promise.all(Array.from({ length: MACHINES }, caller));
  await pool.ready({ signal });
}
