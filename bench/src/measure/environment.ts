import { loadavg } from 'node:os';
import { describeEnvironment, type HypervisorFacts } from '@warmvm/local-host';
import type { BenchEnvironment } from '../result/environment.ts';
import type { GarbageCollections } from './garbage.ts';

/** Looks at this computer before something is measured; `complete` looks again afterwards. */
export interface EnvironmentWatch {
  complete(garbage: GarbageCollections): BenchEnvironment;
}

export async function watchEnvironment(
  facts: HypervisorFacts,
  acceleration: string,
  wallTimeMs: number,
): Promise<EnvironmentWatch> {
  const { loadAverage: atStart, ...described } = await describeEnvironment(facts, wallTimeMs);
  return {
    complete: (garbage) => ({
      ...described,
      acceleration,
      qemu: versionIn(facts.hypervisor, 'QEMU'),
      libvirt: versionIn(facts.hypervisor, 'libvirt'),
      loadAverage: { atStart, atEnd: loadavg().map((value) => Math.round(value * 100) / 100) },
      garbage,
    }),
  };
}

/** `QEMU 7.2.22, libvirt 9.0.0` holds two versions. */
function versionIn(hypervisor: string, product: string): string | null {
  return new RegExp(`\\b${product} ([\\w.+-]+)`).exec(hypervisor)?.[1] ?? null;
}
