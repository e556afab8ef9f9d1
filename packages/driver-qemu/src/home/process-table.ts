import { readFileSync } from 'node:fs';
import type { ProcessMark } from './mark.ts';

/** The mark of a process that lives now; null when it does not. */
export function processMark(pid: number): ProcessMark | null {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? null : { pid, startTime };
}

/** Whether exactly this process still lives: its id alone may belong to another one by now. */
export function isRunning({ pid, startTime }: ProcessMark): boolean {
  return startTimeOf(pid) === startTime;
}

function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, which may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
