import type { MachineId, MachineState } from './machine.ts';

/** Mark on everything a pool makes on a host: written before anything else, removed last. */
export interface OwnerTag {
  /** Name of the pool; `list` finds by it. Letters, digits, `-` and `_`; 1 to 40. */
  readonly pool: string;
  /** Random id of the pool instance in one process. */
  readonly instance: string;
  /** The process that owns it; lets a later one on the same computer tell whether it still lives. */
  readonly process: OwnerProcess;
}

export interface OwnerProcess {
  /** Id of the computer's present boot, so that a pid is never compared across computers or reboots. */
  readonly bootId: string;
  readonly pid: number;
  /** Start time of the process in the units the platform reports; with the pid it names one process for ever. */
  readonly startTime: string;
}

/** Something on the host that carries a pool's mark. */
export interface MachineRecord {
  readonly id: MachineId;
  /** A golden snapshot (its template) or a machine forked from one. */
  readonly kind: 'machine' | 'golden';
  readonly owner: OwnerTag;
  readonly generation: number;
  /** Digest of the golden image, or null when the making did not get that far. */
  readonly digest: string | null;
  readonly state: MachineState;
}
