import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, hostname, release, totalmem } from 'node:os';
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
  const program = options.binary ?? qemuProgram(architecture);
  const version = await versionOf(program, call);
  const own = hostArchitecture();
  const { acceleration, reason } = chooseAcceleration(options.acceleration, {
    hypervisor: `QEMU ${version}`,
    ...(architecture === own ? {} : { foreign: { guest: architecture, host: own } }),
    offered: OFFERED[process.platform] ?? [],
    local: await localAcceleration(),
  });
  return {
    acceleration,
    accelerationReason: reason,
    cpuModel: defaultCpuModel(acceleration),
    version,
    hostProcessor: await hostProcessorFor(acceleration),
    sandbox: hasSandbox,
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

async function versionOf(program: string, { signal }: CallOptions): Promise<string> {
  try {
    const limits = { timeout: 10_000, maxBuffer: 65_536, ...(signal === undefined ? {} : { signal }) };
    const { stdout } = await execute(program, ['--version'], limits);
    const version = /version (.{1,100})/.exec(stdout)?.[1];
    if (version === undefined) throw new Error(`it says: ${stdout.slice(0, 100)}`);
    return version.trim();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new WarmvmError('WARMVM_HOST_UNREACHABLE', `${program} does not tell its version`, {
      cause,
      details: { program, remedy: 'install QEMU, or name it with options.binary' },
    });
  }
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
