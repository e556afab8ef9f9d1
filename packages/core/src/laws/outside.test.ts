import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeReadyPool, observe } from '../pool/fixtures/pool-fixture.ts';
import { closeAndCheck } from './fixtures/checks.ts';
import { anything, type Command } from './fixtures/commands.ts';
import { lawRuns, seededRandom } from './fixtures/law-runs.ts';
import { makeWorld, type World } from './fixtures/world.ts';

/** What an event says, without what names this one run of it. */
function traceOf(world: World): readonly string[] {
  return world.events.map(({ pool: _, ...event }) =>
    JSON.stringify(event, (_key, value: unknown) =>
      value instanceof Error ? value.message.replaceAll(/world-\d+/g, '') : value,
    ),
  );
}

async function runOnce(
  commands: Iterable<Command>,
  options: Parameters<typeof makeWorld>[0],
): Promise<readonly string[]> {
  const world = makeWorld({ random: seededRandom(7), checkIdleEveryMs: 900, ...options });
  try {
    await world.fixture.settle();
    await fc.asyncModelRun(() => ({ model: world, real: world.fixture }), commands);
    await closeAndCheck(world, 0);
  } finally {
    world.end();
  }
  return traceOf(world);
}

/** The same schedules each time they are asked for. */
function schedules(): readonly Iterable<Command>[] {
  const { numRuns } = lawRuns(60);
  return fc.sample(anything, { seed: 52, numRuns });
}

test('law 52: the same seed, clock and schedule give the same trace', async () => {
  const again = schedules();
  for (const [index, commands] of schedules().entries()) {
    expect(await runOnce(again[index]!, {}), 'law 52').toEqual(await runOnce(commands, {}));
  }
}, 60_000);

test('law 50: a listener that throws changes nothing', async () => {
  const fail = (): never => {
    throw new Error('a fault of the listener');
  };
  const logger = { debug: fail, info: fail, warn: fail, error: fail };
  const again = schedules();
  for (const [index, commands] of schedules().entries()) {
    expect(await runOnce(again[index]!, { logger }), 'law 50').toEqual(await runOnce(commands, {}));
  }
}, 60_000);

const program = `
  import { createPool } from ${JSON.stringify(new URL('../pool/pool.ts', import.meta.url).href)};
  import { createStubDriver, stubImage } from ${JSON.stringify(new URL('../testing/stub-driver.ts', import.meta.url).href)};
  const driver = createStubDriver();
  const checkIdleEveryMs = 60_000;
  const pool = createPool({ driver, image: stubImage, minReady: 1, max: 1, sweep: false, checkIdleEveryMs, maxIdleMs: 60_000 });
  await pool.ready();
  await pool.acquire();
  process.on('exit', () => process.stdout.write('ended'));
  if (process.argv.includes('wait')) pool.acquire({ timeoutMs: 1_500 }).catch(({ code }) => process.stdout.write(code + ' '));
`;

async function runProgram(...extra: string[]): Promise<{ readonly output: string; readonly durationMs: number }> {
  const startedAtMs = performance.now();
  const options = ['--input-type=module', '--eval', program, '--', ...extra];
  const { stdout } = await promisify(execFile)(process.execPath, options, { timeout: 30_000 });
  return { output: stdout, durationMs: performance.now() - startedAtMs };
}

test('law 51: an idle pool lets the process end, though it has leases, checks and retirements to come', async () => {
  const { output, durationMs } = await runProgram();
  expect(output, 'law 51').toBe('ended');
  expect(durationMs, 'law 51: long before any of them').toBeLessThan(20_000);
}, 40_000);

test('law 51: a waiting acquire keeps the process until it settles', async () => {
  expect((await runProgram('wait')).output, 'law 51').toBe('WARMVM_ACQUIRE_TIMEOUT ended');
}, 40_000);

test('law 51: of all timers that of the line alone holds the process', async () => {
  const { pool, clock, settle } = await makeReadyPool({ minReady: 1, max: 1, checkIdleEveryMs: 1_000 });
  expect(clock.pendingTimers, 'law 51').toBeGreaterThan(0);
  expect(clock.holdingTimers, 'law 51: idle').toBe(0);
  const lease = await pool.acquire();
  expect(clock.holdingTimers, 'law 51: lent').toBe(0);
  const waiting = observe(pool.acquire());
  await settle();
  expect(clock.holdingTimers, 'law 51: somebody waits').toBe(1);
  await lease.release();
  await settle();
  expect(waiting.value).toBeDefined();
  expect(clock.holdingTimers, 'law 51: nobody waits').toBe(0);
  await pool.close();
});
