import { EventEmitter } from 'node:events';
import { createPool as createGenericPool } from 'generic-pool';
import { Pool as LightningPool } from 'lightning-pool';
import PgPool from 'pg-pool';
import { Pool as SequelizePool } from 'sequelize-pool';
import { Pool as TarnPool } from 'tarn';
import { CarefulCaller } from './careful-caller.ts';
import type { Contender, OpenPool, Work } from './contender.ts';
import { TrivialMachine } from './trivial-driver.ts';

interface BarePool<Resource extends object> {
  acquire(): Promise<Resource>;
  release(resource: Resource): Promise<unknown> | undefined;
  /** Has one that is lent destroyed, and another made in its place. */
  destroy(resource: Resource): unknown;
  close(): Promise<void>;
}

const genericPool: Contender = {
  name: 'generic-pool',
  async open({ resources, deadlineMs, waiting, work }) {
    const sizes = { min: resources, max: resources };
    const pool = createGenericPool(factory(), {
      ...sizes,
      acquireTimeoutMillis: deadlineMs,
      maxWaitingClients: waiting + resources,
    });
    return filled(resources, work, {
      acquire: () => pool.acquire() as Promise<TrivialMachine>,
      release: (machine) => pool.release(machine) as Promise<void>,
      destroy: (machine) => pool.destroy(machine),
      close: async () => {
        await pool.drain();
        await pool.clear();
      },
    });
  },
};

const tarn: Contender = {
  name: 'tarn',
  async open({ resources, deadlineMs, work }) {
    const sizes = { min: resources, max: resources };
    const broken = new WeakSet<TrivialMachine>();
    const pool = new TarnPool<TrivialMachine>({
      ...factory(),
      ...sizes,
      ...(work === 'bounded recycle' ? { validate: (machine: TrivialMachine) => !broken.has(machine) } : {}),
      acquireTimeoutMillis: deadlineMs,
    });
    return filled(resources, work, {
      acquire: () => pool.acquire().promise,
      release: (machine) => {
        pool.release(machine);
        return undefined;
      },
      // One that is lent can be destroyed in no other way.
      destroy: (machine) => {
        broken.add(machine);
        pool.release(machine);
      },
      close: async () => {
        await pool.destroy();
      },
    });
  },
};

const lightningPool: Contender = {
  name: 'lightning-pool',
  async open({ resources, deadlineMs, waiting, work }) {
    const pool = new LightningPool<TrivialMachine>(factory(), {
      min: resources,
      max: resources,
      acquireTimeoutMillis: deadlineMs,
      maxQueue: waiting + resources,
      validation: false,
    });
    return filled(resources, work, {
      acquire: () => pool.acquire(),
      release: (machine) => {
        pool.release(machine);
        return undefined;
      },
      destroy: (machine) => pool.destroy(machine),
      close: () => pool.closeAsync(),
    });
  },
};

/** What pg-pool asks of a client, on top of a machine. */
class TrivialClient extends EventEmitter {
  readonly machine: TrivialMachine = new TrivialMachine('trivial');
  readonly _queryable = true;
  declare release: (destroy?: boolean) => void;

  connect(callback: () => void): void {
    process.nextTick(callback);
  }

  end(callback?: () => void): void {
    callback?.();
  }
}

const pgPool: Contender = {
  name: 'pg-pool',
  async open({ resources, deadlineMs, work }) {
    const sizes = { min: resources, max: resources };
    const pool = new PgPool<TrivialClient>({ ...sizes, connectionTimeoutMillis: deadlineMs, Client: TrivialClient });
    const bare: BarePool<TrivialClient> = {
      acquire: () => pool.connect(),
      release: (client) => {
        client.release();
        return undefined;
      },
      destroy: (client) => client.release(true),
      close: () => pool.end(),
    };
    return filled(resources, work, bare, ({ machine }) => machine);
  },
};

const sequelizePool: Contender = {
  name: 'sequelize-pool',
  async open({ resources, deadlineMs, work }) {
    const sizes = { min: resources, max: resources };
    const pool = new SequelizePool<TrivialMachine>({
      ...factory(),
      ...sizes,
      validate: () => true,
      acquireTimeoutMillis: deadlineMs,
    });
    return filled(resources, work, {
      acquire: () => pool.acquire(),
      release: (machine) => {
        pool.release(machine);
        return undefined;
      },
      destroy: (machine) => pool.destroy(machine),
      close: async () => {
        await pool.drain();
        await pool.destroyAllNow();
      },
    });
  },
};

/** The pools that warmvm is compared with. */
export const PEERS: readonly Contender[] = [genericPool, tarn, lightningPool, pgPool, sequelizePool];

function factory(): { create(): Promise<TrivialMachine>; destroy(machine: TrivialMachine): Promise<void> } {
  return {
    create: async () => new TrivialMachine('trivial'),
    destroy: async (machine) => machine[Symbol.asyncDispose](),
  };
}

async function filled<Resource extends object>(
  resources: number,
  work: Work,
  bare: BarePool<Resource>,
  machineOf: (resource: Resource) => TrivialMachine = (resource) => resource as unknown as TrivialMachine,
): Promise<OpenPool> {
  const all = await Promise.all(Array.from({ length: resources }, () => bare.acquire()));
  for (const resource of all) await bare.release(resource);
  const pool = bare as unknown as OpenPool;
  if (work === 'none') return pool;
  if (work === 'bounded recycle') {
    const caller = new CarefulCaller<Resource>(bare, machineOf);
    return {
      acquire: pool.acquire,
      release: (resource) => {
        caller.giveBack(resource as Resource);
        return undefined;
      },
      close: async () => {
        caller.stop();
        await pool.close();
      },
    };
  }
  return {
    ...pool,
    release: async (resource) => {
      const machine = machineOf(resource as Resource);
      await machine.reset();
      await machine.guest.ping();
      await pool.release(resource);
    },
  };
}
