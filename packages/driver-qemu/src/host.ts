import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { availableParallelism, hostname, release, totalmem } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import {
  type CallOptions,
  chooseAcceleration,
  type GoldenImage,
  type HostReport,
  hostArchitecture,
  localAcceleration,
  WarmvmError,
} from '@warmvm/core/driver';
import { defaultCpuModel, qemuProgram } from './command-line/machine-plan.ts';
import { isClosedToMachines } from './containment/find-containment.ts';
import type { ParsedOptions } from './options.ts';

/** What the driver must know of this computer before it makes anything. */
export interface HostFacts {
  readonly acceleration: 'kvm' | 'hvf' | 'tcg';
  readonly accelerationReason: string;
  readonly cpuModel: string;
  /** QEMU's own words, such as `7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`. */
  readonly version: string;
  /** See `CompatibilityFacts`. */
  readonly hostProcessor: string;
  /** See {@link hasSandbox}. */
  readonly sandbox: boolean;
  /** QEMU, by its absolute path. */
  readonly program: string;
  /** QEMU opens memory that it maps privately for reading only, as 8.2 and newer do. */
  readonly opensReadOnly: boolean;
  readonly report: HostReport;
}

const execute = promisify(execFile);

/** Whether QEMU here has a filter of system calls. On Linux one that was built without it starts no machine. */
export const hasSandbox: boolean = process.platform === 'linux';

/**
 * What this computer is for guests of an architecture.
 * @throws WARMVM_HOST_UNREACHABLE where there is no QEMU that can be started; WARMVM_NOT_SUPPORTED for an acceleration that those
 * guests cannot have
 */
export async function hostFacts(
  options: ParsedOptions,
  architecture: GoldenImage['architecture'],
  call: CallOptions,
): Promise<HostFacts> {
  const program = await findProgram(options.binary ?? qemuProgram(architecture));
  const version = await versionOf(program, call);
  const own = hostArchitecture();
  const { acceleration, reason } = chooseAcceleration(options.acceleration, {
    hypervisor: `QEMU ${version}`,
    ...(architecture === own ? {} : { foreign: { guest: architecture, host: own } }),
    offered: OFFERED[process.platform] ?? [],
    local: {
      ...(await localAcceleration()),
      isClosedToGuests: options.user !== 'root' && (await isClosedToMachines()),
    },
  });
  return {
    acceleration,
    accelerationReason: reason,
    cpuModel: defaultCpuModel(acceleration),
    version,
    hostProcessor: await hostProcessorFor(acceleration),
    sandbox: hasSandbox,
    program,
    opensReadOnly: isAtLeast(version, 8, 2),
    report: {
      host: hostname(),
      hypervisor: `QEMU ${version}`,
      acceleration,
      accelerationReason: reason,
      memoryBytes: totalmem(),
      virtualCpus: availableParallelism(),
    },
  };
}

/**
 * Looks a program up once, so that what is asked for its version is what is started.
 * @throws WARMVM_HOST_UNREACHABLE when no folder of PATH has it
 */
async function findProgram(name: string): Promise<string> {
  // A folder that is not absolute depends on where this process happens to run.
  const folders = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute);
  const paths = name.includes('/') ? [resolve(name)] : folders.map((folder) => join(folder, name));
  for (const path of paths) {
    const isProgram = await stat(path).then(
      (facts) => facts.isFile(),
      () => false,
    );
    const mayRun =
      isProgram &&
      (await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ));
    if (mayRun) return path;
  }
  throw unreachable(name, `${name} is not found; PATH is ${process.env.PATH ?? 'empty'}`);
}

async function versionOf(program: string, { signal }: CallOptions): Promise<string> {
  try {
    const limits = { timeout: 10_000, maxBuffer: 65_536, ...(signal === undefined ? {} : { signal }) };
    const { stdout } = await execute(program, ['--version'], limits);
    const version = /^QEMU emulator version (\d{1,3}\.\d{1,3}\.[^\n]{1,100})/.exec(stdout)?.[1]?.trim();
    if (version === undefined) throw new Error(`it is not QEMU; it says: ${stdout.slice(0, 100)}`);
    if (!isAtLeast(version, ...OLDEST)) throw new Error(`it is QEMU ${version}; expected ${OLDEST.join('.')} or newer`);
    return version;
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreachable(program, `${program} does not say that it is QEMU ${OLDEST.join('.')} or newer`, cause);
  }
}

/** The first version that this driver works with. */
const OLDEST = [7, 2] as const;

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

function unreachable(program: string, message: string, cause?: unknown): WarmvmError {
  return new WarmvmError('WARMVM_HOST_UNREACHABLE', message, {
    details: { program, remedy: 'install QEMU, or name it with options.binary' },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What QEMU was built with, as far as the platform lets it use that. */
const OFFERED: Readonly<Partial<Record<NodeJS.Platform, readonly ('kvm' | 'hvf')[]>>> = {
  linux: ['kvm'],
  darwin: ['hvf'],
};

/** What a device state depends on of the processor and kernel, where the guest's code runs on them. */
async function hostProcessorFor(acceleration: HostFacts['acceleration']): Promise<string> {
  if (acceleration === 'tcg') return '';
  const lines = (await readFile('/proc/cpuinfo', 'utf8').catch(() => '')).split('\n');
  const first = (pattern: RegExp): string => lines.find((line) => pattern.test(line)) ?? '';
  return [first(/^model name/), first(/^(flags|Features)/), first(/^microcode/), release()].join('|');
}
