import { checkoutFolder } from '../package-files.ts';
import type { CompareRefRequest } from '../request.ts';
import type { BenchResult } from '../result/bench-result.ts';
import { readResult } from '../result/result-file.ts';
import type { BenchScene } from '../scene.ts';
import type { Target } from '../targets.ts';
import { compareInTurns, type Side } from './in-turns.ts';
import { runCheckout } from './run-checkout.ts';
import { checkOut } from './worktree.ts';

/**
 * Runs another commit in turns with this checkout, and compares.
 * @throws RangeError outside a checkout and for a ref that is none, Error with what a run printed when it failed; the signal's reason
 */
export async function compareRef(
  { ref, blocks, ...request }: CompareRefRequest,
  targets: readonly Target[],
  scene: BenchScene,
): Promise<BenchResult> {
  const repository = requireCheckout();
  const { signal, folder, view } = scene;
  const onLine = (text: string): void => view.listen({ type: 'step', text });
  onLine(`checking out and installing ${ref}`);
  await using other = await checkOut(repository, ref, signal);
  const side = (label: string, checkout: string): Side => ({
    label,
    async run(json) {
      await runCheckout({ ...request, checkout, json, folder, signal, onLine });
      return readResult(json);
    },
  });
  const sides = { base: side(ref, other.folder), current: side('this checkout', repository) };
  return await compareInTurns({ ...sides, blocks }, targets, scene);
}

function requireCheckout(): string {
  const folder = checkoutFolder();
  if (folder !== undefined) return folder;
  throw new RangeError(
    'bench compare runs another commit of warmvm beside this one: it needs a checkout of warmvm, and this bench is an installed ' +
      'package. To compare two builds of a driver: bench against; with an earlier run: --json base.json then, and --compare base.json now',
  );
}
