import {
  createPool,
  type Driver,
  type GoldenImage,
  type HostOptions,
  isWarmvmError,
  type Lease,
  type Pool,
  type PoolOptions,
} from '@warmvm/core';
import type { PoolChoice } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/settings.ts';
import { loadDriver, makeDriver } from '../drivers/load-driver.ts';
import { messageOf } from '../errors/explain.ts';
import { openImage } from '../images/open-image.ts';
import { prepareText } from '../prepare-text.ts';
import type { MachineSource } from './machine-source.ts';

/** What {@link openPool} needs besides settings. */
export interface OpenPoolOptions {
  readonly signal: AbortSignal;
  /** Told what is going on, in words for people. */
  readonly say: (text: string) => void;
  /** Told what people should know of the hosts and mend. @default nobody is */
  readonly warn?: (text: string) => void;
  /** Stands above the settings. */
  readonly pool?: PoolChoice;
  /** Finds drivers by name; replaced in tests. @default loadDriver */
  readonly load?: typeof loadDriver;
}

/** A pool, and what it rests on. */
export interface OpenPool extends AsyncDisposable {
  readonly pool: Pool;
  readonly image: GoldenImage;
  readonly drivers: readonly Driver[];
  /** For people: a command that reaches a machine from elsewhere; undefined where nothing is known. */
  reach(machineId: string): string | undefined;
}

/**
 * Opens the pool of these settings, drivers and all; dispose closes it and them.
 * @throws ConfigError, and what drivers and images throw
 */
export async function openPool(settings: Settings, options: OpenPoolOptions): Promise<OpenPool> {
  const { signal, say } = options;
  const made: Awaited<ReturnType<typeof makeDriver>>[] = [];
  const disposeDrivers = async (): Promise<void> => {
    await Promise.all(made.map(({ driver }) => driver[Symbol.asyncDispose]()));
  };
  try {
    for (const choice of settings.drivers) made.push(await makeDriver(choice, settings, options.load ?? loadDriver));
    const [first] = made;
    if (first === undefined) throw new ConfigError('no driver was chosen');
    const image = made.find(({ maker }) => maker.image !== undefined)?.maker.image?.();
    const opened = image ?? (await openImage(settings.image, { folder: settings.folder, signal, say }));
    const pool = checkedPool({
      ...given({ ...settings.pool, ...options.pool }),
      ...(made.length === 1 ? { driver: first.driver } : { drivers: hostsOf(made, settings) }),
      image: opened,
      onPrepareProgress(progress, host) {
        say(prepareText(progress));
        for (const notice of progress.notices ?? []) options.warn?.(`on ${host}: ${notice}`);
      },
    });
    return {
      pool,
      image: opened,
      drivers: made.map(({ driver }) => driver),
      reach: (machineId) => first.maker.reach?.(machineId, settings.drivers[0]?.options ?? {}),
      async [Symbol.asyncDispose]() {
        try {
          await pool.close();
        } finally {
          await disposeDrivers();
        }
      },
    };
  } catch (error) {
    await disposeDrivers();
    throw error;
  }
}

/** What the pool refuses of its options comes from the configuration. @throws ConfigError */
function checkedPool(options: PoolOptions): Pool {
  try {
    return createPool(options);
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
    throw new ConfigError(`the pool refuses the configuration: ${cause.message}`, { cause });
  }
}

function hostsOf(made: readonly { readonly driver: Driver }[], { drivers }: Settings): readonly HostOptions[] {
  return made.map(({ driver }, index) => {
    const max = drivers[index]?.max;
    return max === undefined ? { driver } : { driver, max };
  });
}

/** A pool for one command alone: nothing is made ahead. */
export async function openOwnSource(settings: Settings, options: OpenPoolOptions): Promise<MachineSource> {
  const opened = await openPool(settings, { ...options, pool: { minReady: 0, max: 1, maxTurns: 1 } });
  return {
    description: 'a pool of its own',
    reach: opened.reach,
    async lend({ signal }) {
      const lease = await acquire(opened, signal, options.say);
      return {
        machineId: lease.machineId,
        guest: lease.guest,
        signal: lease.signal,
        giveBack: async () => void (await lease.discard('the command has ended')),
      };
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

const LONGEST_MS = 2 ** 31 - 1;
/** Failures in a row after which a machine that might yet be made is given up. */
const MOST_FAILURES = 3;

/** Takes a machine; a pool would try for ever, a person wants to hear why there is none. @throws why the last of the hosts can make none */
async function acquire({ pool, drivers }: OpenPool, signal: AbortSignal, say: (text: string) => void): Promise<Lease> {
  const hopeless = new AbortController();
  const useless = new Set<string>();
  const giveUp = (host: string, error: unknown): void => {
    useless.add(host);
    if (useless.size >= drivers.length) hopeless.abort(error);
    else say(`host ${host} makes no machine: ${messageOf(error)}`);
  };
  const events = pool.events();
  const watching = (async () => {
    for await (const event of events) {
      if (event.type === 'host-down') giveUp(event.host, event.error);
      else if (event.type === 'host-up') useless.delete(event.host);
      else if (event.type === 'creation-failed') {
        const { host, error, failuresInARow } = event;
        if (failuresInARow >= MOST_FAILURES || !(isWarmvmError(error) && error.retryable)) giveUp(host, error);
        else say(`making a machine failed, trying again: ${messageOf(error)}`);
      }
    }
  })();
  try {
    const either = AbortSignal.any([signal, hopeless.signal]);
    return await pool.acquire({ signal: either, timeoutMs: LONGEST_MS, leaseMs: LONGEST_MS });
  } finally {
    await events[Symbol.asyncIterator]().return?.();
    await watching;
  }
}

type Given = Partial<{ -readonly [Key in keyof PoolChoice]: NonNullable<PoolChoice[Key]> }>;

function given(choice: PoolChoice): Given & Partial<PoolOptions> {
  return Object.fromEntries(Object.entries(choice).filter(([, value]) => value !== undefined)) as Given;
}
