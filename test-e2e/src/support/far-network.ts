import { execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A network of one other computer, which is this one: a network name space at the end of a cable. */
export interface FarNetwork extends AsyncDisposable {
  /** The far end of the cable. */
  readonly address: string;
  /** Words before a command that runs it at the far end. */
  readonly within: readonly string[];
  /** From now on nothing passes in either direction, and nobody is told; or it passes again. */
  drop(isDropping: boolean): Promise<void>;
}

/** Longer than any suite takes: what is left of one that was killed goes by itself. */
const LONGEST_SECONDS = 3_600;
const START_TIMEOUT_MS = 5_000;

/** @throws Error when this is not Linux with root and iproute2 */
export async function startFarNetwork(): Promise<FarNetwork> {
  const holder = spawn('unshare', ['-n', 'sleep', String(LONGEST_SECONDS)], { stdio: 'ignore' });
  const pid = holder.pid as number;
  const ended = once(holder, 'exit');
  const within = ['nsenter', '-t', String(pid), '-n'];
  // Other suites on this computer may have networks too.
  const [subnet, name] = [randomInt(2 ** 14), `wv${pid}`];
  const [near, far] = [1, 2].map((host) => `10.231.${subnet >> 6}.${(subnet & 63) * 4 + host}`) as [string, string];
  const run = async (...words: readonly string[]): Promise<void> => {
    await promisify(execFile)(words[0] as string, words.slice(1));
  };
  const dispose = async (): Promise<void> => {
    // The cable goes with one of its ends.
    holder.kill('SIGKILL');
    await ended;
  };
  try {
    await isApart(pid);
    await run('ip', 'link', 'add', `${name}n`, 'type', 'veth', 'peer', 'name', `${name}f`, 'netns', String(pid));
    await run('ip', 'address', 'add', `${near}/30`, 'dev', `${name}n`);
    await run('ip', 'link', 'set', `${name}n`, 'up');
    await run(...within, 'ip', 'address', 'add', `${far}/30`, 'dev', `${name}f`);
    for (const device of ['lo', `${name}f`]) await run(...within, 'ip', 'link', 'set', device, 'up');
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    address: far,
    within,
    drop: (isDropping) => run(...within, 'ip', 'link', 'set', `${name}f`, isDropping ? 'down' : 'up'),
    [Symbol.asyncDispose]: dispose,
  };
}

async function isApart(pid: number): Promise<void> {
  const own = await readlink('/proc/self/ns/net');
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += 10) {
    const its = await readlink(`/proc/${pid}/ns/net`).catch(() => own);
    if (its !== own) return;
    await delay(10);
  }
  throw new Error('no network name space came of unshare -n');
}
