import { createHash } from 'node:crypto';
import { createPool, type Driver, type GoldenImage, type Pool } from '@warmvm/core';
import { alternate } from '../alternate.ts';
import { benchOwner } from '../owner.ts';
import type { LibvirtSuite, SuiteContext } from '../suite.ts';

const MACHINES = 5;
const COLD_POOL = 'bench-cold';

/** A pool of five filled from a golden snapshot that is there, against five boots one after the other. */
export const initSuite: LibvirtSuite = {
  name: 'init',
  driver: 'libvirt',
  what: 'a pool of five filled from a golden snapshot, and five cold boots one after the other',
  defaultSamples: 5,
  async run(context, host) {
    const { samples, say, rounds, recorder } = context;
    const image = await host.image();
    const driver = host.driver();
    try {
      say('warm-up: the golden snapshot, one pool, one cold boot');
      await fill({ ...context, samples: 0 }, driver, image);
      await coldBoot(context, driver, image, 'warm-up');
      for (let round = 1; round <= samples; round += 1) {
        await alternate(round, [
          async () => recorder.add('5 forks ready', await fill(context, driver, image)),
          async () => recorder.add('5 cold boots', await boots(context, driver, image, round)),
        ]);
        rounds(round, samples);
      }
    } finally {
      await driver[Symbol.asyncDispose]();
    }
    recorder.group('five machines ready', ['5 forks ready', '5 cold boots']);
    recorder.ratio('5 forks to 5 cold boots', '5 forks ready', '5 cold boots');
    recorder.fact('cold boot', 'from the start of the domain to the first answer of its agent, nothing else');
    recorder.fact('forks', `${driver.capabilities.concurrentForks} at a time, every guest renewed and proved`);
  },
};

/** Opens a pool, waits until all its machines are ready, and closes it. Takes down the stages unless it is warm-up. */
async function fill(context: SuiteContext, driver: Driver, image: GoldenImage): Promise<number> {
  const { clock, signal, samples } = context;
  const startedAt = clock.now();
  const pool = createPool({ driver, image, name: 'bench-init', minReady: MACHINES, max: MACHINES, clock });
  const stages = samples > 0 ? takeStages(context, pool) : Promise.resolve();
  try {
    await pool.ready({ signal });
    return clock.now() - startedAt;
  } finally {
    await pool.close({ graceMs: 0 });
    await stages;
  }
}

/** The ladder of every single machine: its fork, and the first answer of its guest after that. */
async function takeStages({ recorder }: SuiteContext, pool: Pool): Promise<void> {
  const forkMs = new Map<number, number>();
  for await (const event of pool.events()) {
    if (event.type !== 'phase-ended' || event.error !== undefined || event.slot === null) continue;
    if (event.phase === 'fork') forkMs.set(event.slot, event.durationMs);
    if (event.phase !== 'probe') continue;
    recorder.stages('fork, among five', { fork: forkMs.get(event.slot)!, agent: event.durationMs });
  }
}

async function boots(context: SuiteContext, driver: Driver, image: GoldenImage, round: number): Promise<number> {
  let totalMs = 0;
  for (let boot = 1; boot <= MACHINES; boot += 1) {
    const durationMs = await coldBoot(context, driver, image, `${round}-${boot}`);
    context.recorder.add('cold boot of one machine', durationMs);
    totalMs += durationMs;
  }
  return totalMs;
}

/** What the making of a golden snapshot of a new digest takes from the start of its domain to its agent's first answer. */
async function coldBoot(
  { clock, signal }: SuiteContext,
  driver: Driver,
  image: GoldenImage,
  salt: string,
): Promise<number> {
  const digest = `sha256:${createHash('sha256').update(`${image.digest} ${salt}`).digest('hex')}`;
  let startedAt = Number.NaN;
  let answeredAt = Number.NaN;
  await driver.prepare(
    { ...image, name: 'cold', digest },
    {
      owner: benchOwner(COLD_POOL),
      signal,
      onProgress({ step }) {
        if (step === 'boot') startedAt = clock.now();
        if (step === 'warm-up') answeredAt = clock.now();
      },
    },
  );
  for (const record of await driver.list({ pool: COLD_POOL }, { signal })) await driver.remove(record, { signal });
  return answeredAt - startedAt;
}
