import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { ConfigError } from '../../config/config-error.ts';
import { answers } from '../../host/socket.ts';
import { makeRuntimeFolder, ownPlace, type RuntimePlace, socketPathOf } from '../runtime-folder.ts';

/** The name of a pool, taken for this process: whoever connects to the socket reaches the server. Dispose gives it up. */
export interface ClaimedSocket extends AsyncDisposable {
  readonly path: string;
  readonly server: Server;
  /** Takes the socket away at once, for the end of the process. */
  removeNow(): void;
}

/** Tries at a name that others may take or give up meanwhile. */
const MOST_TRIES = 5;

/**
 * Takes the name of a pool. The socket of a dead process is replaced; that of a living one never, also when two processes begin at once.
 * @throws ConfigError when a living process has the name
 */
export async function claimSocket(name: string, place: RuntimePlace = ownPlace()): Promise<ClaimedSocket> {
  const path = socketPathOf(name, place);
  const folder = makeRuntimeFolder(place);
  const server = createServer({ allowHalfOpen: false });
  // Listened to under a name of its own first: what has the right name is then always a socket that answers.
  const draft = join(folder, `${randomBytes(6).toString('hex')}.new`);
  await listen(server, draft);
  try {
    chmodSync(draft, 0o600);
    await take(name, draft, path);
  } catch (error) {
    await close(server);
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const own = lstatSync(path).ino;
  const removeNow = (): void => {
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === own) rmSync(path, { force: true });
  };
  return {
    path,
    server,
    removeNow,
    async [Symbol.asyncDispose]() {
      removeNow();
      await close(server);
    },
  };
}

async function take(name: string, draft: string, path: string): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    try {
      // Of two that try at once, one fails.
      linkSync(draft, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await answers(path)) break;
    await putAside(path, `${draft}.stale`);
  }
  throw new ConfigError(
    `a pool ${JSON.stringify(name)} is kept by another process already: see it with warmvm pool status --pool ${name}, ` +
      `end it with warmvm pool drain --pool ${name}, or give this one another name with --name`,
  );
}

/** Takes a dead socket away. One that somebody else has put there meanwhile goes back. */
async function putAside(path: string, aside: string): Promise<void> {
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    if (await answers(aside)) linkSync(aside, path);
  } finally {
    unlinkSync(aside);
  }
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
