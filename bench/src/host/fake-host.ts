import type { Clock } from '@warmvm/core';
import { createFakeDriver, createFakeHost, fakeImage, type LatencyOptions } from '@warmvm/driver-fake';
import { type BenchHost, LARGE_MEMORY_BYTES, USUAL_MEMORY_BYTES } from './bench-host.ts';

/** Nothing of the fake's own waiting is of interest. */
const AT_ONCE: LatencyOptions = { resetMs: 0, guestMs: 0, execMs: 0, stateMs: 0 };

/** Machines in memory: what is left is what the pool itself takes. */
export function openFakeHost(clock: Clock, latency: LatencyOptions = AT_ONCE): BenchHost {
  const host = createFakeHost({ clock });
  return {
    driverName: 'fake',
    acceleration: 'none',
    facts: {
      hypervisor: 'embedded fake',
      accelerationReason: 'machines are simulated in memory',
      subreaper: 'none',
      storage: 'memory',
    },
    ways: ['default'],
    memorySizes: [USUAL_MEMORY_BYTES, LARGE_MEMORY_BYTES],
    image: async (memoryBytes = USUAL_MEMORY_BYTES) =>
      fakeImage({ memoryBytes, digest: `sha256:${memoryBytes.toString(16).padStart(64, '0')}` }),
    driver: async () => createFakeDriver({ host, clock, latency }),
    async objects() {
      const { marks, goldens, machines } = host.objects();
      return Object.entries({ mark: marks, golden: goldens, machine: machines }).flatMap(([kind, count]) =>
        Array.from({ length: count }, (_, index) => `${kind} ${index}`),
      );
    },
    async crash({ id }) {
      const at = clock.now();
      host.crash(id);
      return { killedAt: at, goneAt: at };
    },
    choice: { use: 'fake', options: {} },
    [Symbol.asyncDispose]: async () => {},
  };
}
