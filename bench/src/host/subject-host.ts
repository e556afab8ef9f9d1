import type { Clock } from '@warmvm/core';
import { openSubjects } from '@warmvm/driver-testkit';
import type { BenchHost } from './bench-host.ts';

/** What every way of opening a host is given. */
export interface HostRequest {
  /** Folder that paths of drivers are meant from. */
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * The host of a subject of the conformance kit: whoever has one for that can be measured.
 * @param name what results call the driver
 * @param module what exports `kitSubject`
 * @throws TypeError when it exports none; what its driver's ping throws
 */
export async function openSubjectHost(
  name: string,
  module: unknown,
  { clock, signal, say }: HostRequest,
): Promise<BenchHost> {
  const opened = await openSubjects(module, { signal, say });
  try {
    const subject = opened.subjects[0]!;
    const { goldenImage } = subject;
    const asked = await subject.create();
    const report = await asked.ping({ signal }).finally(() => asked[Symbol.asyncDispose]());
    return {
      driverName: name,
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
