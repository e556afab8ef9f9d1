import { type LookupAddress, promises } from 'node:dns';
import { connect, type Socket } from 'node:net';
import type { Clock, Timer, WarmvmError } from '@warmvm/core/driver';
import { type SshProblem, saidBy, sshError } from '../problem.ts';
import { turnedAway } from './greeting.ts';
import type { Hop } from './hop.ts';

/** How long an address has before the next one is tried beside it (RFC 8305). */
const NEXT_ADDRESS_MS = 250;
/** More addresses of one host are not tried. */
const MOST_ADDRESSES = 16;

/** How names and addresses are reached; tests have others. */
export interface Network {
  readonly lookup: (host: string, family: 0 | 4 | 6) => Promise<readonly LookupAddress[]>;
  readonly connect: (target: {
    readonly host: string;
    readonly port: number;
    readonly localAddress?: string;
  }) => Socket;
}

const SYSTEM: Network = {
  lookup: (host, family) => promises.lookup(host, { all: true, family }),
  // Requests are small and wait for their answers: nothing is gained by collecting them.
  connect: (target) => connect({ ...target, noDelay: true }),
};

/**
 * A TCP connection to a host: to the first of its addresses that answers. Addresses are begun one after the other and none of them ends before it failed by
 * itself or another one answered: how long that may take is for the caller to say.
 * @throws WARMVM_HOST_UNREACHABLE; the signal's reason
 */
export async function connectTcp(
  hop: Hop,
  clock: Clock,
  signal: AbortSignal,
  network: Network = SYSTEM,
): Promise<Socket> {
  signal.throwIfAborted();
  const addresses = await abortable(network.lookup(hop.host, hop.addressFamily), signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw unreachable(hop, [error as NodeJS.ErrnoException]);
  });
  return new Race(hop, alternating(addresses), clock, signal, network).run();
}

/** Rejects with the signal's reason as soon as it is aborted, whatever becomes of the work. */
export function abortable<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** The families in turn, so that one that leads nowhere costs one pause and not one for each of its addresses. */
function alternating(addresses: readonly LookupAddress[]): readonly string[] {
  const [first] = addresses;
  const same = addresses.filter(({ family }) => family === first?.family);
  const other = addresses.filter(({ family }) => family !== first?.family);
  const ordered = same.flatMap((address, index) => [address, ...other.slice(index, index + 1)]);
  return [...ordered, ...other.slice(same.length)].slice(0, MOST_ADDRESSES).map(({ address }) => address);
}

class Race {
  readonly #hop: Hop;
  readonly #waiting: string[];
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #network: Network;
  readonly #running = new Set<Socket>();
  readonly #errors: NodeJS.ErrnoException[] = [];
  #next: Timer | undefined;

  constructor(hop: Hop, addresses: readonly string[], clock: Clock, signal: AbortSignal, network: Network) {
    this.#hop = hop;
    this.#waiting = [...addresses];
    this.#clock = clock;
    this.#signal = signal;
    this.#network = network;
  }

  run(): Promise<Socket> {
    return new Promise<Socket>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.#next?.cancel();
        this.#signal.removeEventListener('abort', onAbort);
        for (const socket of this.#running) discard(socket);
        finish();
      };
      const onAbort = (): void => settle(() => reject(this.#signal.reason));
      const won = (socket: Socket): void => {
        this.#running.delete(socket);
        socket.removeAllListeners();
        settle(() => resolve(socket));
      };
      const lost = (): void => settle(() => reject(unreachable(this.#hop, this.#errors)));
      this.#signal.addEventListener('abort', onAbort, { once: true });
      this.#begin(won, lost);
      if (this.#signal.aborted) onAbort();
    });
  }

  #begin(won: (socket: Socket) => void, lost: () => void): void {
    this.#next?.cancel();
    const host = this.#waiting.shift();
    if (host === undefined) {
      if (this.#running.size === 0) lost();
      return;
    }
    const { port, bindAddress } = this.#hop;
    const socket = this.#network.connect({
      host,
      port,
      ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
    });
    this.#running.add(socket);
    socket.once('connect', () => won(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      this.#errors.push(error);
      this.#running.delete(socket);
      discard(socket);
      this.#begin(won, lost);
    });
    if (this.#waiting.length > 0) this.#next = this.#clock.setTimer(() => this.#begin(won, lost), NEXT_ADDRESS_MS);
  }
}

function discard(socket: Socket): void {
  socket.removeAllListeners();
  socket.on('error', () => {});
  socket.destroy();
}

const NAME_ERRORS = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME', 'ENODATA'];
const REMEDIES: Partial<Record<SshProblem, string>> = {
  'name-not-found': 'check how the name is written and whether the name service knows it',
  'connection-refused': 'see whether sshd runs there, and on which port',
};

function unreachable(hop: Hop, errors: readonly NodeJS.ErrnoException[]): WarmvmError {
  const codes = errors.map(({ code }) => code ?? '');
  const cause = errors.find(({ code }) => code === 'ECONNRESET' || code === 'ECONNREFUSED') ?? errors.at(-1);
  // It was taken, and reset before this process could look.
  if (cause?.code === 'ECONNRESET') return turnedAway(hop, cause);
  const { host, port } = hop;
  const problem: SshProblem = codes.some((code) => NAME_ERRORS.includes(code))
    ? 'name-not-found'
    : cause?.code === 'ECONNREFUSED'
      ? 'connection-refused'
      : 'network';
  const remedy = REMEDIES[problem] ?? 'see whether the host is up and the way to it is open';
  const why = [...new Set(errors.map((error) => error.code ?? saidBy(error)))].join(', ') || 'it has no address';
  return sshError(problem, `${host}:${port} cannot be reached (${why})`, { host, port, remedy }, cause);
}
