import type { Clock } from '@warmvm/core';
import { createLibvirtDriver, type LibvirtDriverOptions } from '@warmvm/driver-libvirt';
import { buildTinyImage } from '@warmvm/guest-image';
import { openClient } from '@warmvm/libvirt';
import {
  canStartSshd,
  DisposeStack,
  ensureLibvirtDaemon,
  openStorage,
  requireHypervisor,
  systemCommandRunner,
} from '@warmvm/local-host';
import { inventoryOf } from '@warmvm/local-host/inventory';
import { type BenchHost, LARGE_MEMORY_BYTES, USUAL_MEMORY_BYTES } from './bench-host.ts';
import { qemuOf } from './hypervisor-process.ts';
import { watchRunningDomains } from './libvirt-running-watch.ts';
import { startProcessWatch } from './process-watch.ts';
import type { HostRequest } from './subject-host.ts';

/** A pool of its own, so that nothing else on this host is in the way. */
const STORAGE_POOL = 'warmvm-bench';
/** What suites make is called so: their pools' names begin with `bench`. */
const PREFIX = 'warmvm-bench';
/** A slow answer is a sample, not the end of the run: emulated guests on a busy computer take seconds. */
const PATIENCE = { clockToleranceMs: 30_000, agentTimeoutMs: 60_000, bootTimeoutMs: 300_000 } as const;
const WAYS = ['in-place', 'revert'] as const;

/** What concerns the machines, not the way to their daemon. */
type MachineOptions = Pick<
  LibvirtDriverOptions,
  'storagePool' | 'storagePath' | 'clock' | 'reset' | 'clockToleranceMs' | 'agentTimeoutMs' | 'bootTimeoutMs'
>;

/** What drivers of libvirt are measured with, however they reach it. @param way one of the host's `ways`; the first where it is left out */
export function libvirtOptions(storagePath: string, clock: Clock, way?: string): MachineOptions {
  const reset = (way ?? WAYS[0]) as (typeof WAYS)[number];
  return { storagePool: STORAGE_POOL, storagePath, clock, reset, ...PATIENCE };
}

/** This computer's libvirt: finds the daemon or starts it, and asks what it runs. @throws WARMVM_HOST_UNREACHABLE */
export async function openLibvirtHost({ signal, say, clock }: HostRequest): Promise<BenchHost> {
  await requireHypervisor('libvirt', say, signal);
  const stack = new DisposeStack();
  try {
    const { socketPath, subreaper } = stack.use(
      await ensureLibvirtDaemon({ runner: systemCommandRunner, signal, onProgress: say }),
    );
    const uri = `qemu:///system?socket=${socketPath}`;
    const { path: storagePath } = stack.use(await openStorage('bench'));
    const open = (way?: string) => createLibvirtDriver({ uri, ...libvirtOptions(storagePath, clock, way) });
    const asked = open();
    const report = await asked.ping({ signal }).finally(() => asked[Symbol.asyncDispose]());
    const observer = stack.use(closing(await openClient({ uri, signal })));
    const watch = stack.use(startProcessWatch(clock));
    return {
      driverName: 'libvirt',
      acceleration: report.acceleration,
      facts: {
        hypervisor: report.hypervisor,
        accelerationReason: report.accelerationReason,
        subreaper,
        storage: storagePath,
      },
      ways: WAYS,
      memorySizes: [USUAL_MEMORY_BYTES, LARGE_MEMORY_BYTES],
      image: (memoryBytes = USUAL_MEMORY_BYTES) => buildTinyImage({ signal, memoryBytes }),
      driver: async (way) => open(way),
      objects: async () => [...(await inventoryOf(observer.client, { prefix: PREFIX, storagePool: STORAGE_POOL }))],
      crash: async (machine) => watch.kill(await qemuOf(machine)),
      processOf: qemuOf,
      watchRunning: (until) => watchRunningDomains(uri, clock, until),
      choice: { use: 'libvirt', options: { uri, storagePool: STORAGE_POOL, storagePath } },
      libvirtSocket: socketPath,
      ...(canStartSshd() ? { canStartSshd: true as const } : {}),
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

function closing<Client extends { close(): Promise<void> }>(client: Client): { client: Client } & AsyncDisposable {
  return { client, [Symbol.asyncDispose]: () => client.close() };
}
