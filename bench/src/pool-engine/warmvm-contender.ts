import { setImmediate } from 'node:timers/promises';
import { createPool, type Lease } from '@warmvm/core';
import { fakeImage } from '@warmvm/driver-fake';
import type { Contender } from './contender.ts';
import { trivialDriver } from './trivial-driver.ts';

/** The pool of this project. Every release is followed by a reset and a probe of the machine before it is lent again. */
export const warmvmContender: Contender = {
  name: 'warmvm',
  async open({ resources, waiting, deadlineMs }) {
    const driver = trivialDriver();
    const pool = createPool({
      driver,
      image: fakeImage(),
      name: 'bench-pool-engine',
      minReady: resources,
      max: resources,
      maxWaiting: waiting,
      acquireTimeoutMs: deadlineMs,
    });
    await pool.ready();
    return {
      acquire: () => pool.acquire(),
      release: (lease) => (lease as Lease).release(),
      holdRecycling: () => {
        const letGo = driver.holdResets();
        return async () => {
          letGo();
          while (pool.stats().slots.ready < resources) await setImmediate();
        };
      },
      close: async () => {
        await pool.close();
        await driver[Symbol.asyncDispose]();
      },
    };
  },
};
