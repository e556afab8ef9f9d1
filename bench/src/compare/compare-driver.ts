import type { CompareDriverRequest } from '../request.ts';
import type { BenchResult } from '../result/bench-result.ts';
import { readResult } from '../result/result-file.ts';
import { runTask } from '../run-apart.ts';
import type { BenchScene } from '../scene.ts';
import type { Target } from '../targets.ts';
import { compareInTurns, type Side } from './in-turns.ts';

/**
 * Runs another driver, or another build of the same one, in turns with that which was asked for, and compares. What differs between
 * their hosts is listed, and refuses nothing: both are on this computer now.
 * @throws RangeError for more than one driver, or the same twice; Error with what a run printed when it failed; the signal's reason
 */
export async function compareDriver(
  { drivers, against, suites, samples, blocks }: CompareDriverRequest,
  targets: readonly Target[],
  scene: BenchScene,
): Promise<BenchResult> {
  const [driver] = drivers;
  if (driver === undefined || drivers.length > 1) {
    const got = drivers.length === 0 ? 'none' : drivers.join(', ');
    throw new RangeError(`bench against compares two drivers: name one with --driver, got ${got}`);
  }
  if (driver === against) {
    throw new RangeError(`bench against compares two drivers, got ${driver} twice: one build needs another path`);
  }
  const { signal, folder, view } = scene;
  const onLine = (text: string): void => view.listen({ type: 'step', text });
  const side = (name: string): Side => ({
    label: name,
    async run(json) {
      onLine(`running ${name}`);
      await runTask({ suites, driver: name, samples, folder, json }, { signal, onLine });
      return named(await readResult(json), driver);
    },
  });
  return compareInTurns({ base: side(against), current: side(driver), blocks, acrossHosts: true }, targets, scene);
}

/** Figures are compared where their drivers are called the same. */
function named(result: BenchResult, driver: string): BenchResult {
  return { ...result, suites: result.suites.map((suite) => ({ ...suite, driver })) };
}
