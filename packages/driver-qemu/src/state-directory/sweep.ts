import { type CallOptions, WarmvmError } from '@warmvm/core/driver';
import type { Mark } from '../home/mark.ts';
import type { StateFolder } from '../home/state-folder.ts';
import { fateOf } from './holder.ts';
import { findMachineProcesses } from './machine-processes.ts';

/** How a sweep is made. */
export interface SweepOptions extends CallOptions {
  /** Removes what a mark stands for: processes, files, and last the mark. */
  readonly remove: (mark: Mark) => Promise<void>;
  /** Leaves machines alone that still run: somebody may want to take them over. @default false */
  readonly keepRunning?: boolean;
}

/**
 * Removes what owners that are dead have left. Owners that live, or may
 * live on another computer, keep everything. Resolves with the marks of what was removed.
 * @throws the signal's reason; WARMVM_HOST_OPERATION with `details.leftBehind` (ids) when something could not be removed; the rest is
 */
export async function sweepDeadOwners(state: StateFolder, options: SweepOptions): Promise<readonly Mark[]> {
  const removed: Mark[] = [];
  const failures = new Map<string, unknown>();
  for (const { id } of (await state.list()).filter(isDead)) {
    options.signal?.throwIfAborted();
    try {
      // Another process may have taken it over since.
      const mark = await state.read(id);
      if (mark === undefined || !isDead(mark)) continue;
      if (options.keepRunning === true && mark.kind === 'machine' && (await runs(state, mark))) continue;
      await options.remove(mark);
      removed.push(mark);
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.set(id, error);
    }
  }
  const [first] = failures.values();
  if (first === undefined) return removed;
  const leftBehind = [...failures.keys()];
  throw new WarmvmError('WARMVM_HOST_OPERATION', `could not remove what the dead left: ${leftBehind.join(', ')}`, {
    cause: first,
    retryable: true,
    details: { leftBehind },
  });
}

async function runs(state: StateFolder, mark: Mark): Promise<boolean> {
  const facts = { id: mark.id, folder: state.homeOf(mark).directory };
  return (await findMachineProcesses(facts, mark.process ?? undefined)).length > 0;
}

function isDead({ owner, host }: Mark): boolean {
  return fateOf({ process: owner.process, host }) === 'dead';
}
