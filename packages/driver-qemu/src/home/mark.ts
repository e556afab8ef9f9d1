import type { MachineId, OwnerTag } from '@warmvm/core/driver';

/** What is written of a machine or a golden snapshot before anything of it is made. */
export interface Mark {
  readonly format: 1;
  readonly id: MachineId;
  /** A standby is a process that waits to become a machine; nobody but its driver sees it. */
  readonly kind: 'machine' | 'golden' | 'standby';
  readonly owner: OwnerTag;
  /** The owner's computer, by a digest of its id: several may share a home directory. */
  readonly host: string;
  readonly generation: number;
  /** Digest of the golden image. */
  readonly digest: string;
  /** Folder of the golden snapshot that it is or was forked from, below `goldens`; null while that is not known. */
  readonly golden: string | null;
  /** The QEMU that runs for it; null while there is none. */
  readonly process: NamedProcessMark | null;
}

/** A QEMU that runs for a machine. */
export interface NamedProcessMark extends ProcessMark {
  /** What it was started as, in its command line and for its cgroup: the machine's id, or that of a standby which became it. */
  readonly name: string;
}

/** Names one process of this computer for ever. */
export interface ProcessMark {
  readonly pid: number;
  readonly startTime: string;
}

/** Reads a mark; undefined for anything that is none. */
export function readMark(text: string): Mark | undefined {
  try {
    const mark = JSON.parse(text) as Mark;
    const sensible =
      mark.format === 1 &&
      ['machine', 'golden', 'standby'].includes(mark.kind) &&
      [mark.id, mark.owner.pool, mark.owner.instance, mark.host, mark.digest].every(
        (word) => typeof word === 'string',
      ) &&
      typeof mark.owner.process.pid === 'number' &&
      Number.isSafeInteger(mark.generation);
    return sensible ? mark : undefined;
  } catch {
    return undefined;
  }
}
