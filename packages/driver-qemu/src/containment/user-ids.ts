import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { optionMistake, WarmvmError } from '@warmvm/core/driver';

/** User ids from `first` to `last`, both included. */
export interface UserIdRange {
  readonly first: number;
  readonly last: number;
}

/** One user id that no other machine of this computer has until it is given back. */
export interface TakenUserId {
  readonly uid: number;
  /** When no process has the id any more. Idempotent. */
  giveBack(): void;
}

/** systemd gives these to nobody: above its range for containers, and below the ids that some programs take for negative. */
export const DEFAULT_USER_IDS: UserIdRange = { first: 0x7000_0000, last: 0x7fff_fffe };

/** What one process claims at once. */
export const USER_IDS_IN_BLOCK = 1024;
const CLAIM_ATTEMPTS = 1000;

/** @throws TypeError, RangeError for a value of `options.userIds` that is not such a range */
export function parseUserIds(value: unknown): UserIdRange {
  const expected = `a range of at least ${USER_IDS_IN_BLOCK} user ids, such as 60000-64095`;
  if (typeof value !== 'string') throw optionMistake(TypeError, 'options.userIds', value, expected);
  const [, first = 0, last = 0] = /^(\d{1,10})-(\d{1,10})$/.exec(value)?.map(Number) ?? [];
  const isRange = first >= 1000 && last <= DEFAULT_USER_IDS.last && last - first + 1 >= USER_IDS_IN_BLOCK;
  if (!isRange) throw optionMistake(RangeError, 'options.userIds', value, expected);
  return { first, last };
}

/**
 * User ids for machines: each QEMU gets one that no other has. A process claims blocks of the range by sockets of the kernel's
 * (abstract names), which end with the process; two processes of one network namespace never have the same block.
 */
export class UserIds {
  static readonly #ofThisProcess = new Map<string, UserIds>();

  readonly range: UserIdRange;
  readonly #claims: Server[] = [];
  /** The one that was used longest ago comes first. */
  readonly #free: number[] = [];
  #claiming: Promise<void> | undefined;

  constructor(range: UserIdRange = DEFAULT_USER_IDS) {
    this.range = range;
  }

  /** Those of this process, for all its drivers: a machine may outlive the driver that started it. */
  static ofThisProcess(range: UserIdRange = DEFAULT_USER_IDS): UserIds {
    const key = `${range.first}-${range.last}`;
    const known = UserIds.#ofThisProcess.get(key) ?? new UserIds(range);
    UserIds.#ofThisProcess.set(key, known);
    return known;
  }

  /** @throws WARMVM_HOST_OPERATION when every block of the range has an owner */
  async take(): Promise<TakenUserId> {
    for (;;) {
      const uid = this.#free.shift();
      if (uid !== undefined) return { uid, giveBack: onlyOnce(() => void this.#free.push(uid)) };
      this.#claiming ??= this.#claim().finally(() => {
        this.#claiming = undefined;
      });
      await this.#claiming;
    }
  }

  /** Gives every block back. */
  close(): void {
    for (const claim of this.#claims.splice(0)) claim.close();
    this.#free.length = 0;
  }

  async #claim(): Promise<void> {
    const blocks = Math.floor((this.range.last - this.range.first + 1) / USER_IDS_IN_BLOCK);
    const begin = Math.floor(Math.random() * blocks);
    for (let attempt = 0; attempt < Math.min(blocks, CLAIM_ATTEMPTS); attempt += 1) {
      const first = this.range.first + ((begin + attempt) % blocks) * USER_IDS_IN_BLOCK;
      const claim = await claimBlock(first);
      if (claim === undefined) continue;
      this.#claims.push(claim);
      for (let uid = first; uid < first + USER_IDS_IN_BLOCK; uid += 1) this.#free.push(uid);
      return;
    }
    const { first, last } = this.range;
    throw new WarmvmError('WARMVM_HOST_OPERATION', `other processes have all user ids from ${first} to ${last}`, {
      retryable: true,
      details: { first, last, remedy: 'end processes that run machines, or give options.userIds a larger range' },
    });
  }
}

async function claimBlock(first: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.listen(`\0warmvm-user-ids-${first}`);
  try {
    await once(server, 'listening');
    // The claim ends with this process, which it does not keep alive.
    return server.unref();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

function onlyOnce(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}
