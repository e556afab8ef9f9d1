import { expect, test } from 'vitest';
import type { Driver, Machine, MachineChange } from '../driver/index.ts';
import { createStubDriver, stubImage } from '../testing/stub-driver.ts';
import { createPool } from './pool.ts';

async function* watchForEver(machine: Machine, signal: AbortSignal | undefined): AsyncGenerator<MachineChange> {
  yield { state: 'running', reason: '', generation: machine.generation };
  await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
}

function trivialDriver(): Driver {
  let made = 0;
  const fork = async (): Promise<Machine> => {
    made += 1;
    let generation = 1;
    const machine: Machine = {
      id: `machine-${made}`,
      get generation() {
        return generation;
      },
      guest: { ping: async () => {} } as unknown as Machine['guest'],
      state: async () => 'running',
      watch: (options) => watchForEver(machine, options?.signal),
      reset: async () => {
        generation += 1;
      },
      [Symbol.asyncDispose]: async () => {},
    };
    return machine;
  };
  return { ...createStubDriver(), fork };
}

test('lends and resets machines ten thousand times over and keeps count', async () => {
  await using pool = createPool({ driver: trivialDriver(), image: stubImage, minReady: 2, max: 4, sweep: false });
  await pool.ready();
  const rounds = Number(process.env.WARMVM_CYCLES ?? 10_000);
  const startedAtMs = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    const lease = await pool.acquire();
    await lease.release();
  }
  const durationMs = performance.now() - startedAtMs;
  if (process.env.WARMVM_CYCLES !== undefined) console.log(`${rounds} cycles in ${Math.round(durationMs)} ms`);
  const { counters } = pool.stats();
  expect(counters).toMatchObject({ acquired: rounds, released: rounds, resetsFailed: 0 });
});
