import { systemClock, WarmvmError } from '@warmvm/core';
import type { Driver, GoldenImage } from '@warmvm/core/driver';
import { createLibvirtDriver, type LibvirtDriverOptions } from '@warmvm/driver-libvirt';
import { buildTinyImage } from '@warmvm/guest-image';
import {
  chooseStorage,
  DisposeStack,
  ensureLibvirtDaemon,
  type HypervisorFacts,
  qemuProcesses,
  systemCommandRunner,
} from 'warmvm/measure';

/** A pool of its own, so that nothing else on this host is in the way. */
const STORAGE_POOL = 'warmvm-bench';

/** This computer's libvirt daemon, for suites. Dispose ends the daemon where it was started here. */
export interface LibvirtHost extends AsyncDisposable {
  readonly socketPath: string;
  /** Of the hypervisor with guests: `qemu:///system` through the daemon. */
  readonly uri: string;
  readonly acceleration: string;
  readonly facts: HypervisorFacts;
  /** The golden image; built at the first call. */
  image(): Promise<GoldenImage>;
  /** A driver of this host. Whoever asks disposes it. */
  driver(options?: Pick<LibvirtDriverOptions, 'reset'>): Driver;
}

/** Finds the daemon or starts it, and asks what it runs. */
export async function openLibvirtHost(signal: AbortSignal, say: (text: string) => void): Promise<LibvirtHost> {
  const stack = new DisposeStack();
  try {
    const daemon = stack.use(await ensureLibvirtDaemon({ runner: systemCommandRunner, signal, onProgress: say }));
    const { socketPath, subreaper } = daemon;
    const uri = `qemu:///system?socket=${socketPath}`;
    const storagePath = `${await chooseStorage()}-bench`;
    const open: LibvirtHost['driver'] = (options) =>
      createLibvirtDriver({ uri, storagePool: STORAGE_POOL, storagePath, ...options });
    const { hypervisor, acceleration, accelerationReason } = await pingOnce(open(), signal);
    let building: Promise<GoldenImage> | undefined;
    return {
      socketPath,
      uri,
      acceleration,
      facts: { hypervisor, accelerationReason, subreaper, storage: storagePath },
      image() {
        building ??= buildTinyImage({ signal });
        return building;
      },
      driver: open,
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

async function pingOnce(driver: Driver, signal: AbortSignal): ReturnType<Driver['ping']> {
  try {
    return await driver.ping({ signal });
  } finally {
    await driver[Symbol.asyncDispose]();
  }
}

/** Process id of the QEMU that runs a machine: a new one tells that the machine was not rewound in place. */
export async function qemuPid(machine: string): Promise<number> {
  const found = (await qemuProcesses()).find(({ guest }) => guest === machine);
  if (found !== undefined) return found.pid;
  throw new WarmvmError('WARMVM_MACHINE_GONE', `no QEMU process runs ${machine}`, {
    details: { machine, at: systemClock.wallTimeMs() },
  });
}
