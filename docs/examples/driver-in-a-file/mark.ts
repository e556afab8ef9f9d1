import type { MachineRecord } from '@warmvm/core/driver';
import type { Vm } from './hypervisor.ts';

// #region mark
/** Everything that `list` must know, written where the hypervisor keeps it: in the notes of the machine. */
export type Mark = Pick<MachineRecord, 'kind' | 'owner' | 'generation' | 'digest'>;

const PREFIX = 'warmvm ';

export function notesOf(mark: Mark): string {
  return PREFIX + JSON.stringify(mark);
}

/** The mark of a machine, or undefined when it is somebody else's. */
export function markOf({ notes }: Vm): Mark | undefined {
  if (!notes.startsWith(PREFIX)) return undefined;
  try {
    return JSON.parse(notes.slice(PREFIX.length)) as Mark;
  } catch {
    return undefined;
  }
}
// #endregion
