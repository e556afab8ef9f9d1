import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { answers } from '@warmvm/local-host';
import { ConfigError } from '../../config/config-error.ts';
import { otherPools, writePoolRecord } from '../pool-records.ts';
import { makeRuntimeFolder, ownPlace, type RuntimePlace, socketPathOf } from '../runtime-folder.ts';

/** A name in the runtime folder, taken for this process: whoever connects to the socket reaches the server. Dispose gives it up. */
export interface ClaimedSocket extends AsyncDisposable {
  readonly path: string;
  readonly server: Server;
  /** Whether the socket is still where it was bound. */
  isBound(): boolean;
  /** Takes the socket away at once, for the end of the process. */
  removeNow(): void;
}

/** Ends of the names of sockets that nobody listens on yet, and of those that somebody does. */
const BOUND = '.b';
const ANNOUNCED = '.a';
const DRAFTS = /^[0-9a-f]{8}\.[ab]$/;
/** A socket that is bound, and not announced after this time, is of a dead process. */
const LONGEST_BINDING_MS = 60_000;
/** Tries at a name that others want too: some seconds of them. */
const MOST_TRIES = 500;
const SHORT_WAIT_MS = 5;

/**
 * Takes the name of a pool. The socket of a dead process is replaced; that of a living one never, also when two processes begin at once or something removed
 * the socket of the first.
 * @throws ConfigError when a living process has the name
 */
export async function claimSocket(name: string, place: RuntimePlace = ownPlace()): Promise<ClaimedSocket> {
  const path = socketPathOf(name, place);
  makeRuntimeFolder(place);
  const claimed = await claimPath(path);
  if (claimed === undefined) {
    throw new ConfigError(
      `a pool ${JSON.stringify(name)} is kept by another process already: see it with warmvm pool status --pool ${name}, ` +
        `end it with warmvm pool drain --pool ${name}, or give this one another name with --name`,
    );
  }
  // First written down, then looked: of two processes that do not see each other's sockets, at least one sees the other's record.
  const record = writePoolRecord(name, path, place);
  const other = otherPools(place).find(({ socket }) => socket === path);
  if (other === undefined) return withRecord(claimed, record);
  record?.[Symbol.dispose]();
  await claimed[Symbol.asyncDispose]();
  throw new ConfigError(
    `a pool ${JSON.stringify(name)} is kept by process ${other.owner.pid} already, and its socket ${path} cannot be reached from here: ` +
      'wait some seconds if something removed the socket, give this one another name with --name, or set WARMVM_RUNTIME_DIR to the same folder for both',
  );
}

function withRecord(claimed: ClaimedSocket, record: Disposable | undefined): ClaimedSocket {
  return {
    ...claimed,
    removeNow() {
      claimed.removeNow();
      record?.[Symbol.dispose]();
    },
    async [Symbol.asyncDispose]() {
      await claimed[Symbol.asyncDispose]();
      record?.[Symbol.dispose]();
    },
  };
}

/** Takes a path of {@link runtimePath}, whose folder is there, unless a living process has it. */
export async function claimPath(path: string): Promise<ClaimedSocket | undefined> {
  const folder = dirname(path);
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const server = createServer({ allowHalfOpen: false });
    const draft = join(folder, randomBytes(4).toString('hex'));
    let isTaken = false;
    try {
      await announce(server, draft);
      if (await isAlone(folder, draft)) {
        if (await answers(path)) return undefined;
        // Instead of the socket of a dead process, where there is one.
        renameSync(draft + ANNOUNCED, path);
        isTaken = true;
        return claimedSocket(path, server);
      }
    } finally {
      if (!isTaken) await close(server);
      for (const kind of [BOUND, ANNOUNCED]) rmSync(draft + kind, { force: true });
    }
    await delay(SHORT_WAIT_MS * (1 + Math.random()));
  }
  // Somebody has been taking it all this time.
  return undefined;
}

/** What has its final name answers from the first moment, which a socket that was just bound does not. */
async function announce(server: Server, draft: string): Promise<void> {
  await listen(server, draft + BOUND);
  chmodSync(draft + BOUND, 0o600);
  renameSync(draft + BOUND, draft + ANNOUNCED);
}

/**
 * Whoever wants a name announces that by a socket beside it that answers, and only then looks for others who do: who is alone may decide about
 * names. An announcement is called so once only, thus that of a dead process may be removed by anybody at any time.
 */
async function isAlone(folder: string, own: string): Promise<boolean> {
  const drafts = readdirSync(folder)
    .filter((file) => DRAFTS.test(file))
    .map((file) => join(folder, file))
    .filter((file) => !file.startsWith(own));
  for (const draft of drafts) {
    const isAnnounced = draft.endsWith(ANNOUNCED);
    if (isAnnounced && (await answers(draft))) return false;
    if (isAnnounced || isOld(draft)) rmSync(draft, { force: true });
  }
  return true;
}

function isOld(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > LONGEST_BINDING_MS;
}

function claimedSocket(path: string, server: Server): ClaimedSocket {
  let own = inodeOf(path);
  const removeNow = (): void => {
    // Something may have removed it, and somebody else taken the name since.
    if (own !== undefined && inodeOf(path) === own) rmSync(path, { force: true });
    own = undefined;
  };
  return {
    path,
    server,
    isBound: () => own !== undefined && inodeOf(path) === own,
    removeNow,
    async [Symbol.asyncDispose]() {
      removeNow();
      await close(server);
    },
  };
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The folder is closed to others, so that the mode may be set after the fact; a umask would hold for the whole process.
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
