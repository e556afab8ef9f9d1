import { createPool, type Driver, type GoldenImage, type Pool } from '@warmvm/core';
import { DisposeStack } from '@warmvm/local-host';
import { alternate } from '../alternate.ts';
import type { HostSuite, SuiteContext } from '../suite.ts';
import { coldBoot, removeAll, unknownImage } from './cold-boot.ts';

const MACHINES = 5;
const NAMES = {
  forks: '5 forks ready',
  nothing: '5 forks ready, from nothing',
  sequence: '5 cold boots',
  parallel: '5 cold boots at once',
  one: 'cold boot of one machine',
  local: '5 forks ready over the local socket',
} as const;

const LOCAL_POOL = 'bench-init-local';
const LOCAL_PATH = 'fork, among five, over the local socket';

/** A pool of five filled from a golden snapshot, that is there or not, against boots. */
export const initSuite: HostSuite = {
  name: 'init',
  what: 'a pool of five filled from a golden snapshot, prepared or not, and five cold boots one by one and at once; beside a far driver the local one',
  defaultSamples: 5,
  simulated: false,
  needs: [],
  async run(context, host) {
    const { samples, say, rounds, recorder, signal } = context;
    const image = await host.image();
    const { localWay } = host;
    const stack = new DisposeStack();
    const driver = stack.use(await host.driver());
    try {
      const local = localWay === undefined ? undefined : stack.use(await host.driver(localWay));
      say('warm-up: the golden snapshot, one pool, one cold boot');
      await fill(context, driver, image, 'bench-init');
      if (local !== undefined) await fill(context, local, image, LOCAL_POOL);
      await coldBoot(context, driver, image, 'warm-up');
      for (let round = 1; round <= samples; round += 1) {
        await alternate(round, [
          async () => recorder.add(NAMES.forks, await fill(context, driver, image, 'bench-init', 'fork, among five')),
          ...(local === undefined
            ? []
            : [async () => recorder.add(NAMES.local, await fill(context, local, image, LOCAL_POOL, LOCAL_PATH))]),
          async () => recorder.add(NAMES.sequence, await inSequence(context, driver, image, round)),
          async () => recorder.add(NAMES.nothing, await fromNothing(context, driver, image, round)),
          async () => recorder.add(NAMES.parallel, await atOnce(context, driver, image, round)),
        ]);
        rounds(round, samples);
      }
      await removeAll(driver, 'bench-init', signal);
      if (local !== undefined) await removeAll(local, LOCAL_POOL, signal);
    } finally {
      await stack[Symbol.asyncDispose]();
    }
    const beside = localWay === undefined ? [] : [NAMES.local];
    recorder.group('five machines ready', [NAMES.forks, ...beside, NAMES.nothing, NAMES.sequence, NAMES.parallel]);
    if (localWay !== undefined) recorder.ratio('5 forks to 5 forks over the local socket', NAMES.forks, NAMES.local);
    recorder.ratio('5 forks to 5 cold boots', NAMES.forks, NAMES.sequence);
    recorder.ratio('5 forks to 5 cold boots at once', NAMES.forks, NAMES.parallel);
    recorder.ratio('5 forks from nothing to one cold boot', NAMES.nothing, NAMES.one);
    recorder.fact('cold boot', 'from the start of the machine to the first answer of its agent, nothing else');
    recorder.fact('forks', `${driver.capabilities.concurrentForks} at a time, every guest renewed and proved`);
  },
};

/** Opens a pool, waits until all its machines are ready, and closes it. Takes down the stages where a path is named. */
async function fill(
  context: SuiteContext,
  driver: Driver,
  image: GoldenImage,
  name: string,
  path?: string,
): Promise<number> {
  const { clock, signal } = context;
  const startedAt = clock.now();
  const pool = createPool({ driver, image, name, minReady: MACHINES, max: MACHINES, clock });
  const stages = path === undefined ? Promise.resolve() : takeStages(context, pool, path);
  try {
    await pool.ready({ signal });
    return clock.now() - startedAt;
  } finally {
    await pool.close({ graceMs: 0 });
    await stages;
  }
}

/** The ladder of every single machine: its fork, and the first answer of its guest after that. */
async function takeStages({ recorder }: SuiteContext, pool: Pool, path: string): Promise<void> {
  const forkMs = new Map<number, number>();
  for await (const event of pool.events()) {
    if (event.type !== 'phase-ended' || event.error !== undefined || event.slot === null) continue;
    if (event.phase === 'fork') forkMs.set(event.slot, event.durationMs);
    if (event.phase === 'probe') recorder.stages(path, { fork: forkMs.get(event.slot)!, agent: event.durationMs });
  }
}

async function fromNothing(context: SuiteContext, driver: Driver, image: GoldenImage, round: number): Promise<number> {
  const name = `bench-cold-nothing-${round}`;
  const durationMs = await fill(context, driver, unknownImage(image, `nothing-${round}`), name);
  await removeAll(driver, name, context.signal);
  return durationMs;
}

async function inSequence(context: SuiteContext, driver: Driver, image: GoldenImage, round: number): Promise<number> {
  let totalMs = 0;
  for (let boot = 1; boot <= MACHINES; boot += 1) {
    const { startedAt, answeredAt } = await coldBoot(context, driver, image, `${round}-${boot}`);
    context.recorder.add(NAMES.one, answeredAt - startedAt);
    totalMs += answeredAt - startedAt;
  }
  return totalMs;
}

async function atOnce(context: SuiteContext, driver: Driver, image: GoldenImage, round: number): Promise<number> {
  const boots = await Promise.all(
    Array.from({ length: MACHINES }, (_, boot) => coldBoot(context, driver, image, `${round}-at-once-${boot}`)),
  );
  const startedAt = Math.min(...boots.map((boot) => boot.startedAt));
  return Math.max(...boots.map((boot) => boot.answeredAt)) - startedAt;
}
