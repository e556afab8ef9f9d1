import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { availableParallelism, hostname, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { type CallOptions, type GoldenImage, type HostReport, WarmvmError } from '@warmvm/core/driver';
import { defaultCpuModel, qemuProgram } from './command-line/machine-plan.ts';
import type { ParsedOptions } from './options.ts';

/** What the driver must know of this computer before it makes anything. */
export interface HostFacts {
  readonly acceleration: 'kvm' | 'hvf' | 'tcg';
  readonly accelerationReason: string;
  readonly cpuModel: string;
  /** QEMU's own words, such as `7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`. */
  readonly version: string;
  readonly report: HostReport;
}

const execute = promisify(execFile);
const NATIVE: Readonly<Record<string, GoldenImage['architecture']>> = { x64: 'x86_64', arm64: 'aarch64' };

/** @throws WARMVM_HOST_UNREACHABLE where there is no QEMU that can be started */
export async function hostFacts(options: ParsedOptions, call: CallOptions): Promise<HostFacts> {
  const program = options.binary ?? qemuProgram(NATIVE[process.arch] ?? 'x86_64');
  const version = await versionOf(program, call);
  const { acceleration, reason } = await chooseAcceleration(options.acceleration);
  return {
    acceleration,
    accelerationReason: reason,
    cpuModel: defaultCpuModel(acceleration),
    version,
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

async function chooseAcceleration(
  wanted: ParsedOptions['acceleration'],
): Promise<{ readonly acceleration: HostFacts['acceleration']; readonly reason: string }> {
  if (wanted !== 'auto') return { acceleration: wanted, reason: 'asked for by options.acceleration' };
  if (process.platform === 'darwin') return { acceleration: 'hvf', reason: 'this is macOS' };
  const opens = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!opens) return { acceleration: 'tcg', reason: '/dev/kvm does not open for reading and writing' };
  const flags = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  if (process.arch === 'arm64' || /^flags\s*:.*\b(vmx|svm)\b/m.test(flags)) {
    return { acceleration: 'kvm', reason: '/dev/kvm opens and the CPU has a virtualisation extension' };
  }
  return { acceleration: 'tcg', reason: '/dev/kvm opens, but the CPU shows neither vmx nor svm' };
}
