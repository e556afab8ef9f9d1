import { type CallOptions, type Clock, WarmvmError } from '@warmvm/core/driver';
import { removeCgroup } from '../containment/cgroup.ts';
import type { Mark } from '../home/mark.ts';
import type { StateFolder } from '../home/state-folder.ts';
import { fateOf } from './holder.ts';
import { killMachineProcesses } from './machine-processes.ts';

/** How a sweep is made. */
export interface SweepOptions extends CallOptions {
  readonly clock: Clock;
}

/**
 * Removes what owners that are dead have left: their QEMU processes, cgroups, files, and last the marks. Owners that live, or may
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
      await demolish(state, mark, options);
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

/** Destroys one machine by its mark, whoever owns it: processes, cgroup, files, mark. Absent is success. */
export async function demolish(state: StateFolder, mark: Mark, options: SweepOptions): Promise<void> {
  const home = state.homeOf(mark);
  const recorded = mark.process === null ? {} : { recorded: mark.process };
  await killMachineProcesses({ id: mark.id, folder: home.directory }, { ...options, ...recorded });
  if (mark.cgroup !== undefined) await removeCgroup(mark.cgroup, options.clock);
  await state.remove(home);
}

function isDead({ owner, host }: Mark): boolean {
  return fateOf({ process: owner.process, host }) === 'dead';
}
