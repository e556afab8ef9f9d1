import type { Clock } from '@warmvm/core';
import { openSubjects } from '@warmvm/driver-testkit';
import { loadModule } from 'warmvm/measure';
import type { BenchHost } from './bench-host.ts';

/** Where a driver of somebody else comes from. */
export interface ModuleHostOptions {
  /** Package or path whose module exports `kitSubject`, as for the conformance kit. */
  readonly specifier: string;
  /** Folder that a path or package is meant from. */
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** @throws Error when the module cannot be loaded, TypeError when it exports no subject; what its driver's ping throws */
export async function openModuleHost(options: ModuleHostOptions): Promise<BenchHost> {
  const { specifier, folder, clock, signal, say } = options;
  const opened = await openSubjects(await loadModule(specifier, folder), { signal, say });
  try {
    const subject = opened.subjects[0]!;
    const { goldenImage } = subject;
    const asked = await subject.create();
    const report = await asked.ping({ signal }).finally(() => asked[Symbol.asyncDispose]());
    return {
      driverName: specifier,
      acceleration: report.acceleration,
      facts: {
        hypervisor: report.hypervisor,
        accelerationReason: report.accelerationReason,
        subreaper: 'unknown',
        storage: 'unknown',
      },
      ways: ['default'],
      memorySizes: [goldenImage.memoryBytes],
      image: async () => goldenImage,
      driver: () => subject.create(),
      ...(subject.hostObjects === undefined ? {} : { objects: () => subject.hostObjects!() }),
      ...(subject.killMachine === undefined
        ? {}
        : {
            async crash(machine) {
              const killedAt = clock.now();
              await subject.killMachine!(machine);
              return { killedAt, goneAt: clock.now() };
            },
          }),
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}
