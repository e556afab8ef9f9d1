import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import type { HostReport, Safeguard } from '@warmvm/core';

/** What a figure must be read together with. */
export interface Environment {
  readonly node: string;
  readonly platform: string;
  readonly kernel: string;
  readonly cpuModel: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly loadAverage: readonly number[];
  readonly hypervisor: string;
  readonly accelerationReason: string;
  /** Who reaps ended guests. libvirtd counts an unreaped guest as running, so this changes its figures. */
  readonly subreaper: string;
  readonly storage: string;
  /** What confines the machines and what does not; absent where the driver cannot tell. */
  readonly containment?: readonly Safeguard[];
  readonly startedAt: string;
}

export type HypervisorFacts = Pick<
  Environment,
  'hypervisor' | 'accelerationReason' | 'subreaper' | 'storage' | 'containment'
>;

/** What a driver's host says of itself, with what is known of it besides. */
export function hypervisorFacts(
  { hypervisor, accelerationReason, containment }: HostReport,
  place: Pick<HypervisorFacts, 'subreaper' | 'storage'> & Partial<HypervisorFacts>,
): HypervisorFacts {
  return { hypervisor, accelerationReason, ...(containment === undefined ? {} : { containment }), ...place };
}

/** Looks at this computer. */
export async function describeEnvironment(facts: HypervisorFacts, wallTimeMs: number): Promise<Environment> {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    kernel: release(),
    cpuModel: cpus()[0]?.model.trim() ?? (await cpuModelFromProc()),
    cpuCount: availableParallelism(),
    memoryBytes: totalmem(),
    loadAverage: loadavg().map((value) => Math.round(value * 100) / 100),
    ...facts,
    startedAt: new Date(wallTimeMs).toISOString(),
  };
}

async function cpuModelFromProc(): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? 'unknown';
}
