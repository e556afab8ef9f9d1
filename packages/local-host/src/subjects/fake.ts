import { createFakeDriver, createFakeHost, fakeImage } from '@warmvm/driver-fake';
import type { OpenSubject, SubjectRequest } from '@warmvm/driver-testkit';
import { requireOptions } from './options.ts';
import { packageVersion } from './package-version.ts';

/** Slow enough that calls can be given up half-way. */
const LATENCY = { prepareMs: 20, forkMs: 12, resetMs: 10 } as const;

/** The hypervisor in memory. */
export function kitSubject({ options }: SubjectRequest): OpenSubject {
  requireOptions(options, {});
  const host = createFakeHost();
  return {
    name: 'fake',
    version: packageVersion('@warmvm/driver-fake'),
    create: async () => createFakeDriver({ host, latency: LATENCY }),
    goldenImage: fakeImage(),
    hostObjects: async () =>
      Object.entries(host.objects()).flatMap(([kind, count]) =>
        Array.from({ length: count }, (_, index) => `${kind} ${index}`),
      ),
    killMachine: async ({ id }) => host.crash(id),
    loseHost: async () => {
      host.lose();
      return { [Symbol.asyncDispose]: async () => host.restore() };
    },
    injectFault: async (fault, machine) => {
      const refusal = host.refuse(fault, machine?.id);
      return { [Symbol.asyncDispose]: async () => refusal[Symbol.dispose]() };
    },
    timeScale: 0.1,
  };
}
