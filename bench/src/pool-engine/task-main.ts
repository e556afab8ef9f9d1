import { systemClock } from '@warmvm/core';
import { CONTENDERS, contenderOf } from './contenders.ts';
import { leastProgram } from './least-program.ts';
import { heapPerWaiter, rejectAll } from './line.ts';
import { race } from './race.ts';
import type { Findings, Task } from './task.ts';
import { warmvmContender } from './warmvm-contender.ts';

const LONGEST_RUN_MS = 2 ** 31 - 1;

async function perform(task: Task): Promise<Findings[Task['kind']]> {
  if (task.kind === 'race') {
    const { besideLeast: peer, course } = task;
    return race(peer === undefined ? CONTENDERS : [warmvmContender, contenderOf(peer), leastProgram], course);
  }
  const contender = contenderOf(task.contender);
  if (task.kind === 'deadlines') return rejectAll(contender, task.waiters);
  return { bytesPerWaiter: await heapPerWaiter(contender, task.waiters, task.deadlineMs) };
}

// Pools let their process end while they wait.
systemClock.setTimer(() => {}, LONGEST_RUN_MS);
const findings = await perform(JSON.parse(process.argv[2]!) as Task);
// Those who still wait do so for good.
process.stdout.write(JSON.stringify(findings), () => process.exit());
