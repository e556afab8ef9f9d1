import { type Clock, systemClock } from '@warmvm/core/driver';
import { messageOf } from '../../errors/explain.ts';
import { makeRuntimeFolder, ownPlace, type RuntimePlace } from '../runtime-folder.ts';
import { type ClaimedSocket, claimPath } from './claimed-socket.ts';

/** How often the owner looks whether its socket still exists. */
const LOOK_EVERY_MS = 2_000;

/** Options of {@link keepBound}. */
export interface KeepBoundOptions {
  /** Called after the socket was bound again, and once when that fails, with words for people. */
  readonly onChange: (text: string) => void;
  /** @default the real clock */
  readonly clock?: Clock;
  /** @default this process */
  readonly place?: RuntimePlace;
}

/**
 * Binds a socket again whenever something removed it, as cleaners of temporary files do, or the end of a login session. Connections stay. The server of `claimed` gets
 * the new ones too. What it returns stands for the claim: dispose that, instead of `claimed`.
 */
export function keepBound(claimed: ClaimedSocket, options: KeepBoundOptions): ClaimedSocket {
  const { clock = systemClock, onChange, place = ownPlace() } = options;
  const { path, server } = claimed;
  const replaced = new Set<ClaimedSocket>();
  let present = claimed;
  let hasFailed = false;
  let looking: Promise<void> = Promise.resolve();
  let isOver = false;
  const look = async (): Promise<void> => {
    if (present.isBound()) return;
    try {
      makeRuntimeFolder(place);
      const again = await claimPath(path);
      if (again === undefined) throw new Error('another process has it');
      again.server.maxConnections = server.maxConnections;
      again.server.on('connection', (socket) => server.emit('connection', socket));
      replaced.add(present);
      present = again;
      hasFailed = false;
      onChange(`something removed the socket ${path}: it is bound again`);
    } catch (error) {
      if (!hasFailed)
        onChange(`something removed the socket ${path}, and it cannot be bound again yet: ${messageOf(error)}`);
      hasFailed = true;
    }
  };
  const wait = (): ReturnType<Clock['setTimer']> =>
    clock.setTimer(
      () => {
        looking = look().then(() => {
          if (!isOver) timer = wait();
        });
      },
      LOOK_EVERY_MS,
      { hold: false },
    );
  let timer = wait();
  return {
    path,
    server,
    isBound: () => present.isBound(),
    removeNow: () => present.removeNow(),
    async [Symbol.asyncDispose]() {
      isOver = true;
      timer.cancel();
      await looking;
      await Promise.all([present, claimed, ...replaced].map((one) => one[Symbol.asyncDispose]()));
    },
  };
}
