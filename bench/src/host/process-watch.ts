import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Clock, WarmvmError } from '@warmvm/core';
import { childEnvironment } from '@warmvm/core/driver';
import { programWords } from '../package-files.ts';
import type { Crash } from './bench-host.ts';

/** An observer in a process of its own, which kills others and looks at `/proc` until they are gone. */
export interface ProcessWatch extends AsyncDisposable {
  kill(pid: number): Promise<Crash>;
}

/** Starts it. Its times are the kernel's monotonic ones, which all processes share; they are told in those of `clock`. */
export function startProcessWatch(clock: Clock): ProcessWatch {
  const child = spawn(process.execPath, programWords('host/process-watch-main'), {
    env: childEnvironment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // An observer that has ended shows as the end of its output.
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const offsetMs = clock.now() - Number(process.hrtime.bigint()) / 1e6;
  const toClock = (nanoseconds: string): number => Number(nanoseconds) / 1e6 + offsetMs;
  return {
    async kill(pid) {
      child.stdin.write(`${pid}\n`);
      const { value, done } = await lines.next();
      if (done === true) {
        throw new WarmvmError('WARMVM_MACHINE_GONE', `process ${pid} could not be killed: the observer has ended`);
      }
      const { killedNs, goneNs } = JSON.parse(value) as { killedNs: string; goneNs: string };
      return { killedAt: toClock(killedNs), goneAt: toClock(goneNs) };
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
