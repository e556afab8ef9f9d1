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
