import fc from 'fast-check';
import { expect, test } from 'vitest';
import { closeAndCheck } from './fixtures/checks.ts';
import { anything } from './fixtures/commands.ts';
import { lawRuns } from './fixtures/law-runs.ts';
import { makeWorld } from './fixtures/world.ts';

test('laws 1 to 6, 8 to 11, 13, 14, 20 to 23, 26, 37, 42, 43 and 50 hold under any schedule', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  try {
    const property = fc.asyncProperty(
      anything,
      fc.record({ honoursAbort: fc.boolean(), checks: fc.boolean(), graceMs: fc.constantFrom(0, 3_000) }),
      async (commands, { honoursAbort, checks, graceMs }) => {
        const world = makeWorld(checks ? { checkIdleEveryMs: 700 } : {}, honoursAbort);
        try {
          await world.fixture.settle();
          await fc.asyncModelRun(() => ({ model: world, real: world.fixture }), commands);
          await closeAndCheck(world, graceMs);
        } finally {
          world.end();
        }
      },
    );
    await fc.assert(property, lawRuns(1_500));
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
  expect(unhandled, 'law 37: no rejection goes unhandled').toEqual([]);
}, 120_000);
