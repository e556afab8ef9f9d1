import type { Duplex } from 'node:stream';
import { type Clock, WarmvmError } from '@warmvm/core/driver';
import type { Dial } from '@warmvm/libvirt';

/** A connection that is being closed takes a second at most to say good-bye. */
const LONGEST_WAIT_MS = 2_000;

/**
 * Counts the connections to a daemon. A daemon that has as many clients as it takes neither refuses nor answers a further one, and everybody
 * else's with it; so we stop before.
 */
export class DaemonClients {
  readonly #dial: Dial;
  readonly #most: number;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #open = 0;

  constructor(dial: Dial, most: number, clock: Clock) {
    this.#dial = dial;
    this.#most = most;
    this.#clock = clock;
  }

  /** @throws WARMVM_HOST_OPERATION when as many as are allowed stay open; the signal's reason; what the dialler throws */
  readonly dial: Dial = async (options): Promise<Duplex> => {
    if (this.#open >= this.#most) await this.#turn(options.signal);
    else this.#open += 1;
    try {
      const stream = await this.#dial(options);
      stream.once('close', () => this.#leave());
      return stream;
    } catch (error) {
      this.#leave();
      throw error;
    }
  };

  /** Hands the place on to who waits longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#open -= 1;
    else next();
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.#waiting.delete(onTurn);
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        finish();
      };
      const onTurn = (): void => settle(resolve);
      const onAbort = (): void => settle(() => reject(signal?.reason));
      const timer = this.#clock.setTimer(() => settle(() => reject(tooMany(this.#most))), LONGEST_WAIT_MS);
      this.#waiting.add(onTurn);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();
    });
  }
}

function tooMany(maxClients: number): WarmvmError {
  const remedy = 'raise maxClients here, and max_clients in libvirtd.conf where that is not above it';
  return new WarmvmError(
    'WARMVM_HOST_OPERATION',
    `${maxClients} connections to the daemon are open, as many as maxClients allows; ${remedy}`,
    { retryable: true, details: { maxClients, remedy } },
  );
}
