import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { currentOwnerProcess, type Driver, sleep, systemClock } from '@warmvm/core';
import { createLibvirtDriver, type LibvirtDriverOptions } from '@warmvm/driver-libvirt';
import type { OpenSubject, SubjectRequest } from '@warmvm/driver-testkit';
import { buildTinyImage } from '@warmvm/guest-image';
import { localDialer, openClient } from '@warmvm/libvirt';
import { systemCommandRunner } from '../command-runner.ts';
import { ensureLibvirtDaemon } from '../daemon.ts';
import { DisposeStack } from '../dispose-stack.ts';
import { requireHypervisor } from '../hypervisor.ts';
import { inventoryOf } from '../inventory.ts';
import { qemuProcesses } from '../qemu-processes.ts';
import { openStorage } from '../storage.ts';
import { CuttableDialer } from './cuttable-dialer.ts';
import { requireOptions, stretched } from './options.ts';
import { packageVersion } from './package-version.ts';
import { RefusingDaemon } from './refusing-daemon.ts';

/** Options that people may give. */
export type Variant = Pick<LibvirtDriverOptions, 'reset' | 'agentTransport'>;

/** The values that each of them may have. */
export const VARIANTS: Readonly<Record<keyof Variant, readonly string[]>> = {
  reset: ['in-place', 'revert'],
  agentTransport: ['auto', 'channel', 'libvirt'],
};

/** Guests under emulation on a computer with other work are that much slower than the kit's times expect. */
const EMULATED = 4;
/** The kit's own bound for a guest's clock, and the driver's default for its agent. Scaled as the kit scales its times. */
const CLOCK_TOLERANCE_MS = 2_000;
const AGENT_TIMEOUT_MS = 15_000;
const BOOT_TIMEOUT_MS = 120_000;
const DEATH_POLL_MS = 2;

/** The way that a driver takes to the daemon of this computer. */
export interface LibvirtWay {
  /** For the report. */
  readonly name: string;
  readonly packageName: string;
  driver(options: LibvirtDriverOptions): Driver;
  /** Whether it reaches the daemon by the socket that it was given, where calls can be refused. @default true */
  readonly passesSocket?: boolean;
  /** Breaks it and lets nobody through, until the result is disposed. */
  cut(): AsyncDisposable;
}

/** Real machines on this computer's libvirt. `WARMVM_LIBVIRT_SOCKET` names another daemon than the system's. */
export async function kitSubject(request: SubjectRequest): Promise<OpenSubject> {
  requireOptions(request.options, VARIANTS);
  return libvirtSubject(request, request.options as Variant, async (_stack, socketPath) => {
    const uri = `qemu:///system?socket=${socketPath}`;
    const way = new CuttableDialer(localDialer(uri));
    return {
      name: 'libvirt',
      packageName: '@warmvm/driver-libvirt',
      driver: (options) => createLibvirtDriver({ ...options, uri, dial: way.dial, guardian: false }),
      cut: () => way.cut(),
    };
  });
}

/** The same over another way. */
export async function libvirtSubject(
  { say, timeFactor = 1, signal }: SubjectRequest,
  variant: Variant,
  open: (stack: DisposeStack, socketPath: string) => Promise<LibvirtWay>,
): Promise<OpenSubject> {
  const stack = new DisposeStack();
  const limits = signal === undefined ? {} : { signal };
  try {
    let socketPath = process.env.WARMVM_LIBVIRT_SOCKET;
    if (socketPath === undefined) {
      await requireHypervisor('libvirt', say, signal ?? new AbortController().signal);
      const daemon = await ensureLibvirtDaemon({ runner: systemCommandRunner, onProgress: say, ...limits });
      ({ socketPath } = stack.use(daemon));
    }
    const goldenImage = await buildTinyImage(limits);
    const uri = `qemu:///system?socket=${socketPath}`;
    const run = randomBytes(3).toString('hex');
    const storagePool = `warmvm-kit-${run}`;
    const { path: storagePath } = stack.use(await openStorage(storagePool));
    const acceleration = await accelerationOf(uri);
    const observer = await openClient({ uri, ...limits });
    stack.use({ [Symbol.asyncDispose]: () => observer.close() });
    const refusing = stack.use(await RefusingDaemon.start(socketPath));
    const way = await open(stack, refusing.socketPath);
    const timeScale = acceleration === 'tcg' ? EMULATED : 1;
    const times = {
      ...stretched({ clockToleranceMs: CLOCK_TOLERANCE_MS, agentTimeoutMs: AGENT_TIMEOUT_MS }, timeScale * timeFactor),
      ...stretched({ bootTimeoutMs: BOOT_TIMEOUT_MS }, Math.max(1, timeFactor)),
    };
    return {
      name: [way.name, ...Object.values(variant)].join(' '),
      version: packageVersion(way.packageName),
      // A host that is cut off stays so for longer than this, and the kit waits for the driver to say so.
      create: async () =>
        way.driver({ storagePool, storagePath, acceleration, reconnectMs: 1_000, ...times, ...variant }),
      goldenImage,
      async hostObjects() {
        const files = await readdir(storagePath).catch(() => []);
        const known = await inventoryOf(observer, { prefix: `warmvm-kit-${run}`, storagePool });
        return [...known, ...files.map((name) => `file ${name}`)];
      },
      killMachine: ({ id }) => killQemu(id),
      loseHost: async () => way.cut(),
      ...(way.passesSocket === false
        ? {}
        : { injectFault: async (fault, machine) => refusing.refuse(fault, machine?.id) }),
      timeScale,
      poolPrefix: `kit-${run}-`,
      process: currentOwnerProcess(),
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

/** A driver with a dialer of its own cannot look at the computer that it dials to; one without can. */
async function accelerationOf(uri: string): Promise<'kvm' | 'tcg'> {
  const driver = createLibvirtDriver({ uri, guardian: false });
  try {
    return (await driver.ping()).acceleration === 'kvm' ? 'kvm' : 'tcg';
  } finally {
    await driver[Symbol.asyncDispose]();
  }
}

/** SIGKILL to the machine's QEMU; resolves when it is gone. */
async function killQemu(machine: string): Promise<void> {
  const find = async () => (await qemuProcesses()).find(({ guest }) => guest === machine);
  const found = await find();
  if (found === undefined) throw new Error(`no QEMU runs ${machine}`);
  process.kill(found.pid, 'SIGKILL');
  while ((await find()) !== undefined) await sleep(systemClock, DEATH_POLL_MS);
}
