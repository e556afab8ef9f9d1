import { systemClock } from '@warmvm/core';
import { createFakeDriver, createFakeHost, fakeImage } from '@warmvm/driver-fake';
import type { Scene } from './scene.ts';

/** The embedded fake: everything but the machines is real. Its figures say nothing of any hypervisor. */
export function fakeScene(): Scene {
  const host = createFakeHost();
  const driver = createFakeDriver({ host });
  const left = (): readonly string[] =>
    Object.entries(host.objects())
      .filter(([, count]) => typeof count === 'number' && count > 0)
      .map(([kind, count]) => `${count} ${kind}`);
  return {
    driver,
    image: fakeImage(),
    acceleration: 'none',
    facts: {
      hypervisor: 'embedded fake',
      accelerationReason: 'machines are simulated in memory',
      subreaper: 'none',
      storage: 'memory',
    },
    async killFromOutside(machine) {
      host.crash(machine);
      return systemClock.now();
    },
    leftBehind: async () => left(),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}
