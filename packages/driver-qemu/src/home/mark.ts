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

/** Ids name files and folders: nothing else may come out of a mark. */
export const MACHINE_ID: RegExp = /^warmvm-[0-9a-f]{16}$/;
/** Name of a template's folder: its key, and the record that it belongs to alone. */
const GOLDEN_NAME = /^[0-9a-f]{64}(?:-of-warmvm-[0-9a-f]{16})?$/;
const LONGEST_WORD = 1000;

/** Reads the mark of this id; undefined for anything that is not one. */
export function readMark(text: string, id: string): Mark | undefined {
  try {
    const mark = JSON.parse(text) as Mark;
    const { owner, process, golden } = mark;
    const sensible =
      mark.format === 1 &&
      mark.id === id &&
      ['machine', 'golden', 'standby'].includes(mark.kind) &&
      [owner.pool, owner.instance, mark.host, mark.digest, owner.process.startTime, owner.process.bootId].every(
        isWord,
      ) &&
      Number.isSafeInteger(owner.process.pid) &&
      (process === null || (isProcessId(process.pid) && isWord(process.startTime) && MACHINE_ID.test(process.name))) &&
      (golden === null || GOLDEN_NAME.test(golden)) &&
      Number.isSafeInteger(mark.generation) &&
      mark.generation >= 0;
    return sensible ? mark : undefined;
  } catch {
    return undefined;
  }
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && value.length <= LONGEST_WORD;
}

/** Neither a group of processes nor the first one. */
function isProcessId(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 1;
}
