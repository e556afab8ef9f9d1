import { expect, test } from 'vitest';
import { sleepingProcess } from '../fixtures/sleeping-process.ts';
import { isHalted } from './process-table.ts';

test.runIf(process.platform === 'linux')(
  'a process that a signal has stopped is told from one that sleeps',
  async () => {
    await using sleeper = await sleepingProcess();
    expect(isHalted(sleeper.mark.pid)).toBe(false);
    process.kill(sleeper.mark.pid, 'SIGSTOP');
    await expect.poll(() => isHalted(sleeper.mark.pid)).toBe(true);
    process.kill(sleeper.mark.pid, 'SIGCONT');
    await expect.poll(() => isHalted(sleeper.mark.pid)).toBe(false);
    expect(isHalted(2 ** 30)).toBe(false);
  },
);
