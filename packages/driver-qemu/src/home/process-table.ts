import { readFileSync } from 'node:fs';
import { processStartTime } from '@warmvm/core/driver';
import type { ProcessMark } from './mark.ts';

/** The mark of a process that lives now; null when it does not. */
export function processMark(pid: number): ProcessMark | null {
  const startTime = processStartTime(pid);
  return startTime === undefined ? null : { pid, startTime };
}

/** Whether exactly this process still lives: its id alone may belong to another one by now. */
export function isRunning({ pid, startTime }: ProcessMark): boolean {
  return processStartTime(pid) === startTime;
}

/** Whether a signal or a debugger has stopped the process: it answers nothing until it is continued. False where the platform does not say. */
export function isHalted(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^ [tT] /.test(stat.slice(stat.lastIndexOf(')') + 1));
  } catch {
    return false;
  }
}
