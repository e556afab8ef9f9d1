import type { MachineId, OwnerTag } from '@warmvm/core/driver';

/** What is written of a machine or a golden snapshot before anything of it is made. */
export interface Mark {
  readonly format: 1;
  readonly id: MachineId;
  readonly kind: 'machine' | 'golden';
  readonly owner: OwnerTag;
  /** The owner's computer, by a digest of its id: several may share a home directory. */
  readonly host: string;
  readonly generation: number;
  /** Digest of the golden image. */
  readonly digest: string;
  /** Folder of the golden snapshot that it is or was forked from, below `goldens`; null while that is not known. */
  readonly golden: string | null;
  /** The QEMU that runs for it; null while there is none. */
  readonly process: ProcessMark | null;
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
      (mark.kind === 'machine' || mark.kind === 'golden') &&
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
