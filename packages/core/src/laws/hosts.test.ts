import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recoverAndCheck } from './fixtures/fleet-checks.ts';
import { anythingToHosts } from './fixtures/fleet-commands.ts';
import { makeFleetWorld } from './fixtures/fleet-world.ts';
import { lawRuns } from './fixtures/law-runs.ts';

const seed = fc.integer({ min: 1, max: 2 ** 30 });
const adopt = fc.constantFrom('reset' as const, 'remove' as const);

test('laws 1, 2, 9, 13, 14, 20, 42, 43, 45 and 46 hold under any schedule of three hosts', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  try {
    const property = fc.asyncProperty(anythingToHosts, seed, adopt, async (commands, from, how) => {
      const world = makeFleetWorld(from, how);
      try {
        await world.settle();
        await fc.asyncModelRun(() => ({ model: world, real: world }), commands);
        await recoverAndCheck(world);
      } finally {
        world.end();
      }
    });
    await fc.assert(property, lawRuns(250));
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
  expect(unhandled, 'law 37: no rejection goes unhandled').toEqual([]);
}, 120_000);
