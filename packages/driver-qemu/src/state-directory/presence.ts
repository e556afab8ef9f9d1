import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { currentHolder, fateOf, type Holder } from './holder.ts';

/** A file in a folder that says who is there, by its name: it is whole as soon as it is there. */
export interface Presence extends AsyncDisposable {
  readonly name: string;
  /** Puts the file up again after {@link withdraw}. */
  announce(): Promise<void>;
  /** Takes the file away for a while. Dispose does it for good. */
  withdraw(): Promise<void>;
}

/**
 * Names begin with this: only this copy of the code, in this thread, knows which of them still stand for something. A file can outlive what it stood for
 * in a process that lives on: the folder was elsewhere when it should have been removed.
 */
const OWN_NAMES = randomBytes(4).toString('hex');
const inUse = new Set<string>();

/** Others may remove a folder as often as it is empty. */
const MOST_TRIES = 100;

/**
 * Prepares this process's presence in a folder. The folder and the one that it lies in are made when something is announced; what is above
 * them is not: a state folder that has gone stays gone.
 */
export function presenceIn(folder: string): Presence {
  const name = nameOf(currentHolder());
  const path = join(folder, name);
  const withdraw = (): Promise<void> => rm(path, { force: true });
  return {
    name,
    async announce() {
      inUse.add(name);
      for (let tries = 1; ; tries += 1) {
        try {
          return await (await open(path, 'w', 0o600)).close();
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === MOST_TRIES) throw error;
          for (const needed of [dirname(folder), folder]) await makeFolder(needed);
        }
      }
    },
    withdraw,
    [Symbol.asyncDispose]() {
      inUse.delete(name);
      return withdraw();
    },
  };
}

/**
 * Names of those in the folder that live, or may live, sorted. Files of the dead are removed, which anybody may do: names never return.
 */
export async function livingIn(folder: string, except?: string): Promise<readonly string[]> {
  const self = currentHolder();
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const living: string[] = [];
  for (const name of names.sort()) {
    const holder = name === except ? undefined : holderOf(name);
    if (holder === undefined) continue;
    const isOver = name.startsWith(OWN_NAMES) && !inUse.has(name);
    if (isOver || fateOf(holder, self) === 'dead') await rm(join(folder, name), { force: true });
    else living.push(name);
  }
  return living;
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Who put up a file of this name; undefined for other files. */
export function holderOf(name: string): Holder | undefined {
  const [, random, pid, startTime, host, bootId] = /^([0-9a-f]{16})_(\d+)_([^_]+)_([0-9a-f]+)_(.+)$/.exec(name) ?? [];
  if (random === undefined || startTime === undefined || host === undefined || bootId === undefined) return undefined;
  return { process: { pid: Number(pid), startTime, bootId: decodeURIComponent(bootId) }, host };
}

function nameOf({ process: { pid, startTime, bootId }, host }: Holder): string {
  return [OWN_NAMES + randomBytes(4).toString('hex'), pid, startTime, host, encodeURIComponent(bootId)].join('_');
}
