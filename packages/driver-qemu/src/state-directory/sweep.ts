import { type CallOptions, type Clock, WarmvmError } from '@warmvm/core/driver';
import { removeCgroup } from '../containment/cgroup.ts';
import { fateOf } from './holder.ts';
import { killMachineProcesses } from './machine-processes.ts';
import { listMarks, type MachineMark, machineFolder, readMark, removeMachineFiles } from './mark.ts';

/**
 * Removes what owners that are dead have left: their QEMU processes, cgroups, files, and last the marks. Owners that live, or may
 * live on another computer, keep everything. Resolves with the marks of what was removed.
 * @throws the signal's reason; WARMVM_HOST_OPERATION with `details.leftBehind` (ids) when something could not be removed; the rest is
 */
export async function sweepDeadOwners(
  machines: string,
  options: CallOptions & { readonly clock: Clock },
): Promise<readonly MachineMark[]> {
  const dead = (await listMarks(machines)).filter((mark) => isDead(mark));
  const removed: MachineMark[] = [];
  const failures = new Map<string, unknown>();
  for (const mark of dead) {
    options.signal?.throwIfAborted();
    try {
      // Another process may have taken it over since.
      const present = await readMark(machines, mark.id);
      if (present === undefined || !isDead(present)) continue;
      await removeMachine(machines, present, options);
      removed.push(present);
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.set(mark.id, error);
    }
  }
  const [first] = failures.values();
  if (first === undefined) return removed;
  const leftBehind = [...failures.keys()];
  throw new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `could not remove what dead processes left: ${leftBehind.join(', ')}`,
    {
      cause: first,
      retryable: true,
      details: { leftBehind },
    },
  );
}

/** Destroys one machine by its mark, whoever owns it: processes, cgroup, files, mark. Absent is success. */
export async function removeMachine(
  machines: string,
  mark: MachineMark,
  options: CallOptions & { readonly clock: Clock },
): Promise<void> {
  const facts = { id: mark.id, folder: machineFolder(machines, mark.id) };
  const recorded = mark.process === undefined ? {} : { recorded: mark.process };
  await killMachineProcesses(facts, { ...options, ...recorded });
  if (mark.cgroup !== undefined) await removeCgroup(mark.cgroup);
  await removeMachineFiles(machines, mark);
}

function isDead({ owner, host }: MachineMark): boolean {
  return fateOf({ process: owner.process, host }) === 'dead';
}
