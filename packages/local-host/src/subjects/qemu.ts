import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { currentOwnerProcess, type GoldenImage, sleep, systemClock } from '@warmvm/core';
import { hostArchitecture } from '@warmvm/core/driver';
import { createQemuDriver, type QemuDriverOptions } from '@warmvm/driver-qemu';
import type { OpenSubject, SubjectRequest } from '@warmvm/driver-testkit';
import { buildTinyImage } from '@warmvm/guest-image';
import { qemuProcesses } from '../qemu-processes.ts';
import { requireOptions } from './options.ts';
import { packageVersion } from './package-version.ts';

/** Guests under emulation on a computer with other work are that much slower than the kit's times expect. */
const EMULATED = 4;
/** Driver's defaults. Scaled as the kit scales its times. */
const CLOCK_TOLERANCE_MS = 50;
const AGENT_TIMEOUT_MS = 15_000;
const DEATH_POLL_MS = 2;

/** Real machines of QEMU on this computer, in a state folder of their own. */
export async function kitSubject({ options, signal }: SubjectRequest): Promise<OpenSubject> {
  requireOptions(options, { goldens: ['own', 'kept'], architecture: ['x86_64', 'aarch64'] });
  const limits = signal === undefined ? {} : { signal };
  const architecture = (options.architecture ?? hostArchitecture()) as GoldenImage['architecture'];
  const goldenImage = await buildTinyImage({ ...limits, architecture });
  const isForeign = architecture !== hostArchitecture();
  const timeScale = isForeign || (await accelerationOf()) === 'tcg' ? EMULATED : 1;
  const stateDirectory = await mkdtemp(join(tmpdir(), 'wk-'));
  const away = `${stateDirectory}-away`;
  const driverOptions: QemuDriverOptions = {
    stateDirectory,
    keepGoldens: options.goldens === 'kept',
    // As it would be anyway; said, so that the report says it whatever was asked first.
    ...(isForeign ? { acceleration: 'tcg' } : {}),
    clockToleranceMs: CLOCK_TOLERANCE_MS * timeScale,
    agentTimeoutMs: AGENT_TIMEOUT_MS * timeScale,
  };
  return {
    name: ['qemu', ...Object.entries(options).map((pair) => pair.join('='))].join(' '),
    version: packageVersion('@warmvm/driver-qemu'),
    create: async () => createQemuDriver(driverOptions),
    goldenImage,
    hostObjects: () => objectsIn(stateDirectory, options.goldens === 'kept'),
    killMachine: ({ id }) => killQemu(id),
    async loseHost() {
      await rename(stateDirectory, away);
      return { [Symbol.asyncDispose]: () => rename(away, stateDirectory) };
    },
    timeScale,
    process: currentOwnerProcess(),
    async [Symbol.asyncDispose]() {
      for (const folder of [stateDirectory, away]) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Files, and processes by the folder in their command line. A mark that is just being written is not there yet. */
async function objectsIn(stateDirectory: string, goldensAreKept: boolean): Promise<readonly string[]> {
  const entries = await readdir(stateDirectory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(stateDirectory.length + 1))
    .filter((name) => !/^marks\/.*\.json\../.test(name) && !(goldensAreKept && name.startsWith('goldens/')));
  const processes = (await qemuProcesses()).filter(({ folder }) => folder.startsWith(stateDirectory));
  return [...files, ...processes.map(({ pid, guest }) => `process ${pid} (QEMU of ${guest})`)];
}

async function accelerationOf(): Promise<string> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'wk-'));
  const driver = createQemuDriver({ stateDirectory });
  try {
    return (await driver.ping()).acceleration;
  } finally {
    await driver[Symbol.asyncDispose]();
    await rm(stateDirectory, { recursive: true, force: true });
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
