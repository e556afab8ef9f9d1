import { judgeOwner, type MachineRecord, type OwnerFate } from '@warmvm/core';
import { messageOf } from '../errors/explain.ts';
import type { FoundLeftovers } from './leftovers.ts';

/** What became of one object. */
export interface Swept {
  readonly id: string;
  readonly kind: MachineRecord['kind'];
  readonly state: MachineRecord['state'];
  /** The pool whose mark it carries. */
  readonly pool: string;
  readonly owner: { readonly pid: number; readonly fate: OwnerFate };
  readonly outcome: 'removed' | 'would be removed' | 'kept' | 'failed';
  /** Why it failed. */
  readonly error?: string;
}

/** Removes what dead owners left, machines before the golden snapshots that they lean on. What lives, or may live, is kept. */
export async function sweep(
  { driver, records }: FoundLeftovers,
  options: { readonly dryRun: boolean; readonly signal: AbortSignal; readonly judge?: typeof judgeOwner },
): Promise<readonly Swept[]> {
  const { dryRun, signal, judge = judgeOwner } = options;
  const inOrder = records.toSorted((left, right) => rank(left.record) - rank(right.record));
  const swept: Swept[] = [];
  for (const { record } of inOrder) {
    // Asked again at the last moment: an id of a process may have come to life since the list was made.
    const fate = judge(record.owner.process);
    const facts = {
      id: record.id,
      kind: record.kind,
      state: record.state,
      pool: record.owner.pool,
      owner: { pid: record.owner.process.pid, fate },
    };
    if (fate !== 'dead') swept.push({ ...facts, outcome: 'kept' });
    else if (dryRun) swept.push({ ...facts, outcome: 'would be removed' });
    else {
      const failure = await driver.remove(record, { signal }).then(
        () => undefined,
        (error: unknown) => messageOf(error),
      );
      signal.throwIfAborted();
      swept.push(
        failure === undefined ? { ...facts, outcome: 'removed' } : { ...facts, outcome: 'failed', error: failure },
      );
    }
  }
  return swept;
}

function rank({ kind }: MachineRecord): number {
  return kind === 'machine' ? 0 : 1;
}
