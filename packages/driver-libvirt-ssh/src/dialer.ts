import type { Duplex } from 'node:stream';
import { fromSystemError } from '@warmvm/core/driver';
import { configPlace } from './config/host-config.ts';
import { LinkPool } from './link/link-pool.ts';
import type { SshOptions, SshWay } from './options/options.ts';
import { type ParsedSshOptions, parseSshOptions } from './options/parse-options.ts';
import { FarRefusal, saidBy } from './problem.ts';
import { diagnose, type FailedAttempt } from './ways/diagnosis.ts';
import { type Attempt, attemptsOf, openWay } from './ways/way.ts';

/** Opens streams to a far daemon: for `openClient` of `@warmvm/libvirt`. Dispose ends the ssh connections with all their streams. */
export interface SshDialer extends AsyncDisposable {
  /** For the daemon, such as `qemu:///system`. */
  readonly uri: string;
  /** @throws WarmvmError with `details.problem`; the signal's reason */
  readonly dial: (options?: { readonly signal?: AbortSignal }) => Promise<Duplex>;
  /** The way that worked last; undefined before the first stream. */
  readonly way: SshWay | undefined;
}

/**
 * A dialer for a libvirt daemon on another host. Nothing is read or connected before the first stream is asked for.
 * @throws TypeError, RangeError for bad options
 */
export function createSshDialer(options: SshOptions): SshDialer {
  return dialerOf(parseSshOptions(options));
}

export function dialerOf(options: ParsedSshOptions): SshDialer {
  return new LinkDialer(options);
}

class LinkDialer implements SshDialer {
  readonly uri: string;
  readonly #options: ParsedSshOptions;
  readonly #links: LinkPool;
  #working: Attempt | undefined;

  constructor(options: ParsedSshOptions) {
    this.uri = options.driverUri;
    this.#options = options;
    this.#links = new LinkPool(options, configPlace(options.sshConfig, options.workingFolder));
  }

  get way(): SshWay | undefined {
    return this.#working?.way;
  }

  readonly dial = async ({
    signal = new AbortController().signal,
  }: {
    readonly signal?: AbortSignal;
  } = {}): Promise<Duplex> => {
    const all = attemptsOf(this.#options);
    const first = this.#working;
    const attempts = first === undefined ? all : [first, ...all.filter((attempt) => !sameAttempt(attempt, first))];
    const failed: FailedAttempt[] = [];
    for (const attempt of attempts) {
      try {
        const stream = await openWay(this.#links, attempt, this.#options, signal);
        this.#working = attempt;
        return stream;
      } catch (error) {
        // What concerns the link itself is the same on every way.
        if (signal.aborted) throw error;
        if (!(error instanceof FarRefusal))
          throw fromSystemError(error, `${this.#options.host} was not reached by ssh`);
        failed.push({ ...attempt, said: saidBy(error) });
      }
    }
    throw await diagnose(this.#links, this.#options, failed, signal);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#links.close();
  }
}

function sameAttempt(one: Attempt, other: Attempt): boolean {
  return one.way === other.way && one.socket === other.socket;
}
