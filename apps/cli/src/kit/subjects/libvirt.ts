import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { currentOwnerProcess, sleep, systemClock } from '@warmvm/core';
import { createLibvirtDriver, type LibvirtDriverOptions } from '@warmvm/driver-libvirt';
import type { OpenSubject, SubjectRequest } from '@warmvm/driver-testkit';
import { buildTinyImage } from '@warmvm/guest-image';
import { localDialer, openClient } from '@warmvm/libvirt';
import { systemCommandRunner } from '../../host/command-runner.ts';
import { ensureLibvirtDaemon } from '../../host/daemon.ts';
import { chooseScene } from '../../start/choose-scene.ts';
import { DisposeStack } from '../../start/dispose-stack.ts';
import { inventoryOf, qemuProcesses } from '../../start/host-inventory.ts';
import { chooseStorage } from '../../start/libvirt-scene.ts';
import { packageVersion } from '../package-version.ts';
import { CuttableDialer } from './cuttable-dialer.ts';
import { requireOptions } from './options.ts';

type Variant = Pick<LibvirtDriverOptions, 'reset' | 'agentTransport'>;

/** Guests under emulation on a computer with other work are that much slower than the kit's times expect. */
const EMULATED = 4;
/** The kit's own bound for a guest's clock, and the driver's default for its agent. Scaled as the kit scales its times. */
const CLOCK_TOLERANCE_MS = 2_000;
const AGENT_TIMEOUT_MS = 15_000;
const DEATH_POLL_MS = 2;

/** Real machines on this computer's libvirt. `WARMVM_LIBVIRT_SOCKET` names another daemon than the system's. */
export async function kitSubject({ options, say, signal }: SubjectRequest): Promise<OpenSubject> {
  requireOptions(options, { reset: ['in-place', 'revert'], agentTransport: ['auto', 'channel', 'libvirt'] });
  const stack = new DisposeStack();
  const limits = signal === undefined ? {} : { signal };
  try {
    let socketPath = process.env.WARMVM_LIBVIRT_SOCKET;
    if (socketPath === undefined) {
      await chooseScene({ driver: 'libvirt' }, say, signal ?? new AbortController().signal);
      const daemon = await ensureLibvirtDaemon({ runner: systemCommandRunner, onProgress: say, ...limits });
      ({ socketPath } = stack.use(daemon));
    }
    const goldenImage = await buildTinyImage(limits);
    const uri = `qemu:///system?socket=${socketPath}`;
    const run = randomBytes(3).toString('hex');
    const storagePool = `warmvm-kit-${run}`;
    const storagePath = join(dirname(await chooseStorage()), storagePool);
    const acceleration = await accelerationOf(uri);
    const observer = await openClient({ uri, ...limits });
    stack.use({ [Symbol.asyncDispose]: () => observer.close() });
    const way = new CuttableDialer(localDialer(uri));
    const timeScale = acceleration === 'tcg' ? EMULATED : 1;
    const times = { clockToleranceMs: CLOCK_TOLERANCE_MS * timeScale, agentTimeoutMs: AGENT_TIMEOUT_MS * timeScale };
    const variant = options as Variant;
    return {
      name: ['libvirt', ...Object.values(variant)].join(' '),
      version: packageVersion('@warmvm/driver-libvirt'),
      create: async () =>
        createLibvirtDriver({
          uri,
          dial: way.dial,
          storagePool,
          storagePath,
          acceleration,
          guardian: false,
          ...times,
          ...variant,
        }),
      goldenImage,
      async hostObjects() {
        const files = await readdir(storagePath).catch(() => []);
        const known = await inventoryOf(observer, { prefix: `warmvm-kit-${run}`, storagePool });
        return [...known, ...files.map((name) => `file ${name}`)];
      },
      killMachine: ({ id }) => killQemu(id),
      loseHost: async () => way.cut(),
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
