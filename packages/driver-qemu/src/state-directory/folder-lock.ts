import { type CallOptions, type Clock, sleep, WarmvmError } from '@warmvm/core/driver';
import { holderOf, livingIn, presenceIn } from './presence.ts';

/** Options of {@link lockFolder}. */
export interface LockOptions extends CallOptions {
  readonly clock: Clock;
  /** 0: only if it is free. @default 60000 */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const SHORTEST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 200;

/**
 * Lets one caller at a time, of one process or of several, have what the folder stands for. Held until disposed or until the process
 * is gone: neither age nor a crash makes or breaks it.
 *
 * Each contender announces itself, and only then looks: alone, it holds the lock. Of two that meet, the one with the greater name
 * steps back, so that one gets through.
 *
 * @throws the signal's reason; WARMVM_HOST_OPERATION (`retryable`) when others held it all the time, naming them
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<AsyncDisposable> {
  const { clock, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  signal?.throwIfAborted();
  const until = clock.now() + timeoutMs;
  const presence = presenceIn(folder);
  try {
    for (let waitMs = SHORTEST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)) {
      await presence.announce();
      const others = await livingIn(folder, presence.name);
      const [first] = others;
      if (first === undefined) return presence;
      if (first < presence.name) await presence.withdraw();
      if (clock.now() >= until) throw heldByOthers(folder, others, timeoutMs);
      await sleep(clock, waitMs * (0.5 + Math.random()), signal);
    }
  } catch (error) {
    await presence[Symbol.asyncDispose]();
    throw error;
  }
}

function heldByOthers(folder: string, names: readonly string[], timeoutMs: number): WarmvmError {
  const holders = names.map(holderOf);
  const pids = holders.map((holder) => holder?.process.pid).join(', ');
  return new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `${folder} was locked by process ${pids} for ${timeoutMs} ms; end it, or remove the folder if it runs on no computer`,
    { retryable: true, details: { folder, holders, timeoutMs } },
  );
}
