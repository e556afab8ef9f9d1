import { connect, type Socket } from 'node:net';
import { makeRuntimeFolder, ownPlace, type RuntimePlace, runtimePath } from '../kept-pool/runtime-folder.ts';
import { type ClaimedSocket, claimPath } from '../kept-pool/server/claimed-socket.ts';
import type { SceneOptions } from './scene.ts';

/** No pool is called so: theirs end in `.sock`. */
const FILE = 'start.turn';

/**
 * The right of one process of a user to play the main job. Two at once would take each other's machines for left behind, end each other's
 * libvirt daemon, and measure each other. Waits until it is free; dispose gives it up, and so does the end of the process, however it comes.
 * @throws the signal's reason; ConfigError when the user's runtime folder is not the user's alone
 */
export async function takeTurn(
  { signal, say }: SceneOptions,
  place: RuntimePlace = ownPlace(),
): Promise<AsyncDisposable> {
  const path = runtimePath(FILE, place);
  makeRuntimeFolder(place);
  for (let isTold = false; ; isTold = true) {
    const claimed = await claimPath(path);
    if (claimed !== undefined) return turnOf(claimed);
    if (!isTold) say('another warmvm start of this user runs on this computer: waiting until it has ended');
    await endOf(path, signal);
  }
}

/** Whoever waits is connected, and hears of the end by that. */
function turnOf(claimed: ClaimedSocket): AsyncDisposable {
  const waiting = new Set<Socket>();
  claimed.server.on('connection', (socket) => {
    waiting.add(socket);
    socket.on('error', () => {}).on('close', () => waiting.delete(socket));
    // What is not read would keep the other's end from being seen.
    socket.resume();
  });
  return {
    async [Symbol.asyncDispose]() {
      claimed.removeNow();
      for (const socket of waiting) socket.destroy();
      await claimed[Symbol.asyncDispose]();
    },
  };
}

function endOf(path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const onAbort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    // However it ends, the name may be free: an error comes before the close.
    socket.on('error', () => {}).resume();
    socket.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal.aborted) onAbort();
  });
}
