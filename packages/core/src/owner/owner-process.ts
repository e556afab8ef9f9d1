import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { OwnerProcess } from '../driver/owner.ts';

/** What reads the platform; replaced in tests. */
export interface ProcessTable {
  readonly pid: number;
  /** Content of a small text file. Throws when there is none. */
  readText(path: string): string;
  /** Target of a symbolic link. Throws when there is none. */
  readLink(path: string): string;
  /** Whether a process of this id exists, whosever it is. */
  exists(pid: number): boolean;
  /** Something that stays the same for the life of this process, for platforms that do not tell start times. */
  readonly fallbackStartTime: string;
  readonly hostname: string;
}

/** What became of the process that owns something. */
export type OwnerFate = 'alive' | 'dead' | 'unknown';

/** Start time of what owns nothing any more though its id is still taken. */
const ENDED = 'ended';

/** The table of this computer. */
export const systemProcessTable: ProcessTable = {
  pid: process.pid,
  readText: (path) => readFileSync(path, 'utf8'),
  readLink: (path) => readlinkSync(path),
  exists(pid) {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      // EPERM: it is there, and belongs to someone else.
      return (error as NodeJS.ErrnoException).code !== 'ESRCH';
    }
  },
  fallbackStartTime: String(Math.round(performance.timeOrigin)),
  hostname: hostname(),
};

/**
 * Names this process such that a later one on the same computer can tell whether it still lives. On Linux from `/proc`;
 * there `bootId` is the kernel's boot id and the process-id namespace, since a process of another container is as
 * invisible as one of another computer. Elsewhere `bootId` is the host name, and only the process id is compared.
 */
export function currentOwnerProcess(table: ProcessTable = systemProcessTable): OwnerProcess {
  const startTime = readStartTime(table, table.pid);
  const bootId = startTime === undefined ? undefined : readBootId(table);
  if (bootId === undefined || startTime === undefined) {
    return { bootId: `host-${table.hostname}`, pid: table.pid, startTime: table.fallbackStartTime };
  }
  return { bootId, pid: table.pid, startTime };
}

/**
 * Whether the owner still lives. `unknown` when it ran under another boot id, which may be another computer, another
 * container, or this one before it was started anew: nothing here can tell, so nothing may be concluded.
 */
export function judgeOwner(owner: OwnerProcess, table: ProcessTable = systemProcessTable): OwnerFate {
  const self = currentOwnerProcess(table);
  if (owner.bootId !== self.bootId) return 'unknown';
  if (!Number.isInteger(owner.pid) || owner.pid <= 0) return 'unknown';
  if (owner.pid === self.pid) return owner.startTime === self.startTime ? 'alive' : 'dead';
  if (!table.exists(owner.pid)) return 'dead';
  if (self.bootId.startsWith('host-')) return 'alive';
  const startTime = readStartTime(table, owner.pid);
  if (startTime === undefined) return table.exists(owner.pid) ? 'unknown' : 'dead';
  return startTime === owner.startTime ? 'alive' : 'dead';
}

/** Start time of a running process as the platform reports it; undefined when there is none, or it has ended, or nothing tells. */
export function processStartTime(pid: number, table: ProcessTable = systemProcessTable): string | undefined {
  const startTime = readStartTime(table, pid);
  return startTime === ENDED ? undefined : startTime;
}

function readBootId(table: ProcessTable): string | undefined {
  try {
    const boot = table.readText('/proc/sys/kernel/random/boot_id').trim();
    const namespace = /\[(\d+)\]/.exec(table.readLink('/proc/self/ns/pid'))?.[1];
    return boot === '' || namespace === undefined ? undefined : `${boot}-${namespace}`;
  } catch {
    return undefined;
  }
}

function readStartTime(table: ProcessTable, pid: number): string | undefined {
  try {
    // The second field is the command in parentheses, which may itself hold spaces and parentheses.
    const stat = table.readText(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // proc(5): start time is field 22, and `fields` begins with field 3.
    // A zombie (Z) or a process being buried (X) owns nothing any more, though its id is still taken.
    if (fields[0] === 'Z' || fields[0] === 'X') return ENDED;
    return /^\d+$/.test(fields[19] ?? '') ? fields[19] : undefined;
  } catch {
    return undefined;
  }
}
