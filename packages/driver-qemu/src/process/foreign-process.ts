import { type Clock, fromSystemError, sleep } from '@warmvm/core/driver';
import type { ProcessMark } from '../home/mark.ts';
import { isRunning } from '../home/process-table.ts';
import type { ProcessHandle } from './qemu.ts';
import type { ProcessEnd } from './qemu-process.ts';

/** How soon it is looked at again whether a process that must end has ended. */
const LOOK_MS = 5;

/** A QEMU that another process has started: found by its id and start time, and told of by whatever stream it closes. */
export class ForeignProcess implements ProcessHandle {
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  readonly said = '';
  readonly #mark: ProcessMark;
  #released = false;
  #killed: () => void = () => {};

  /** @param streamEnded resolves when a stream of the process has ended, which it does with the process */
  constructor(mark: ProcessMark, streamEnded: Promise<unknown>, clock: Clock) {
    this.pid = mark.pid;
    this.#mark = mark;
    const killed = new Promise<void>((resolve) => {
      this.#killed = resolve;
    });
    this.ended = Promise.race([streamEnded, killed]).then(async () => {
      while (!this.#released && isRunning(mark)) await sleep(clock, LOOK_MS);
      return { exitCode: null, signal: null };
    });
  }

  release(): void {
    this.#released = true;
  }

  kill(): void {
    this.#killed();
    if (!isRunning(this.#mark)) return;
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw fromSystemError(error, `QEMU (process ${this.pid}) could not be killed`);
    }
  }
}
