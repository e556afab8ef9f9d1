import type { GoldenImage } from '@warmvm/core/driver';
import { ARCHITECTURES } from '../architecture/guest-architecture.ts';
import { referToFile } from '../golden/file-digest.ts';
import { sealImage } from '../golden/image-digest.ts';
import { parsePath, parseWhole } from '../image/tiny-options.ts';
import { type DescribeOptions, describedMachine, parseDescribeOptions } from './describe-options.ts';

/** Options of {@link describeKernelImage}. */
export interface DescribeKernelOptions extends DescribeOptions {
  /** Absolute path of the kernel: a bzImage for x86-64, an Image for arm64. */
  readonly kernel: string;
  /** Absolute path of the initial file system. */
  readonly initrd: string;
  /** Kernel command line: one line of at most 2047 printable ASCII characters, the kernel's own limit. @default 'console=ttyS0 quiet panic=-1', for arm64 with ttyAMA0 */
  readonly commandLine?: string;
  /** Size of the blank writable disk in bytes: whole MiB, 1 MiB to 1 TiB. @default 64 MiB */
  readonly diskBytes?: number;
}

const MIB = 1024 * 1024;

/**
 * Describes your own kernel and initrd as a golden image. The files are read once for their digests and must not change afterwards.
 * @throws TypeError, RangeError synchronously for bad options. Rejects with the signal's reason, or WARMVM_GOLDEN_INVALID
 * when a file cannot be read
 */
export function describeKernelImage(options: DescribeKernelOptions): Promise<GoldenImage> {
  const settings = parseDescribeOptions(options);
  const kernelPath = parsePath('kernel', options.kernel);
  const initrdPath = parsePath('initrd', options.initrd);
  const { serialPort } = ARCHITECTURES[settings.architecture];
  const commandLine = parseCommandLine(options.commandLine ?? `console=${serialPort} quiet panic=-1`);
  const diskRange = { least: MIB, most: MIB * MIB, multiple: MIB };
  const diskBytes = parseWhole('diskBytes', options.diskBytes ?? 64 * MIB, diskRange);
  const describe = async (): Promise<GoldenImage> => {
    const kernel = await referToFile(kernelPath, settings.reading);
    const initrd = await referToFile(initrdPath, settings.reading);
    const boot = { kind: 'kernel', kernel, initrd, commandLine, diskBytes } as const;
    return sealImage(settings.name, { ...describedMachine(settings), boot });
  };
  return describe();
}

function parseCommandLine(value: unknown): string {
  if (typeof value === 'string' && /^[\x20-\x7e]{0,2047}$/.test(value)) return value;
  throw new TypeError(
    `commandLine is ${JSON.stringify(value)?.slice(0, 80)}; expected one line of at most 2047 printable ASCII characters.`,
  );
}
