import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { currentOwnerProcess, type GoldenImage, type Machine, sleep, systemClock } from '@warmvm/core';
import { hostArchitecture } from '@warmvm/core/driver';
import { createQemuDriver, type QemuDriverOptions } from '@warmvm/driver-qemu';
import type { InjectedFault, OpenSubject, SubjectRequest } from '@warmvm/driver-testkit';
import { buildTinyImage } from '@warmvm/guest-image';
import { qemuProcesses } from '../qemu-processes.ts';
import { requireOptions, stretched } from './options.ts';
import { packageVersion } from './package-version.ts';

/** Guests under emulation on a computer with other work are that much slower than the kit's times expect. */
const EMULATED = 4;
/** Driver's defaults. Scaled as the kit scales its times. */
const CLOCK_TOLERANCE_MS = 50;
const AGENT_TIMEOUT_MS = 15_000;
const BOOT_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 30_000;
const DEATH_POLL_MS = 2;

/** Real machines of QEMU on this computer, in a state folder of their own. */
export async function kitSubject({ options, timeFactor = 1, signal }: SubjectRequest): Promise<OpenSubject> {
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
    ...stretched({ clockToleranceMs: CLOCK_TOLERANCE_MS, agentTimeoutMs: AGENT_TIMEOUT_MS }, timeScale * timeFactor),
    ...stretched({ bootTimeoutMs: BOOT_TIMEOUT_MS, startTimeoutMs: START_TIMEOUT_MS }, Math.max(1, timeFactor)),
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
    injectFault: (fault, machine) => injectFault(stateDirectory, fault, machine),
    timeScale,
    process: currentOwnerProcess(),
    async [Symbol.asyncDispose]() {
      for (const folder of [stateDirectory, away]) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Files, and processes by the folder in their command line. A mark that is just being written is not there yet; who reads one holds its lock. */
async function objectsIn(stateDirectory: string, goldensAreKept: boolean): Promise<readonly string[]> {
  const entries = await readdir(stateDirectory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(stateDirectory.length + 1))
    .filter((name) => !/^marks\/.*\.json\..|^locks\//.test(name) && !(goldensAreKept && name.startsWith('goldens/')));
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
  process.kill(await processOf(machine), 'SIGKILL');
  while ((await findQemu(machine)) !== undefined) await sleep(systemClock, DEATH_POLL_MS);
}

async function findQemu(machine: string): Promise<{ readonly pid: number } | undefined> {
  return (await qemuProcesses()).find(({ guest }) => guest === machine);
}

async function processOf(machine: string): Promise<number> {
  const found = await findQemu(machine);
  if (found === undefined) throw new Error(`no QEMU runs ${machine}`);
  return found.pid;
}

/** Has the file system or QEMU's process refuse the work; the driver is not asked. */
async function injectFault(stateDirectory: string, fault: InjectedFault, machine?: Machine): Promise<AsyncDisposable> {
  const homes = join(stateDirectory, 'machines');
  const home = machine === undefined ? homes : join(homes, machine.id);
  switch (fault) {
    case 'prepare':
      // Nothing has a folder without this one: the record of a golden snapshot is the first thing that is made.
      await mkdir(homes, { recursive: true, mode: 0o700 });
      return locked(homes);
    case 'destroy':
      return locked(home);
    case 'adopt':
      // The last step of an adoption: the new owner makes a socket for the agent in QEMU's folder.
      return locked(join(home, await bodyIn(home)));
    case 'state':
      return occupied(join(stateDirectory, 'marks', `${machine?.id}.json`));
    case 'events':
      // A QEMU that stands still sends none. The end of its process cannot be kept from the process that started it.
      return stopped(await processOf(String(machine?.id)));
  }
}

async function bodyIn(home: string): Promise<string> {
  const body = (await readdir(home)).find((name) => name.startsWith('body-'));
  if (body === undefined) throw new Error(`no QEMU has a folder in ${home}`);
  return body;
}

/** Nothing is made or removed in this folder, not by root either. */
async function locked(folder: string): Promise<AsyncDisposable> {
  if (process.getuid?.() !== 0) return withMode(folder, 0o500);
  const set = promisify(execFile);
  await set('chattr', ['+i', folder]);
  return { [Symbol.asyncDispose]: async () => void (await set('chattr', ['-i', folder])) };
}

async function withMode(path: string, mode: number): Promise<AsyncDisposable> {
  const before = await stat(path);
  await chmod(path, mode);
  return { [Symbol.asyncDispose]: () => chmod(path, before.mode & 0o7777) };
}

/** Something else has the name of this file. */
async function occupied(path: string): Promise<AsyncDisposable> {
  const aside = `${path}.aside`;
  await rename(path, aside);
  await mkdir(path);
  return {
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true });
      await rename(aside, path);
    },
  };
}

async function stopped(pid: number): Promise<AsyncDisposable> {
  process.kill(pid, 'SIGSTOP');
  return {
    async [Symbol.asyncDispose]() {
      try {
        process.kill(pid, 'SIGCONT');
      } catch (error) {
        // The kit kills it meanwhile.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    },
  };
}
