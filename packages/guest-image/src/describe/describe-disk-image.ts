import type { GoldenImage } from '@warmvm/core/driver';
import { openRegular, referToFile } from '../golden/file-digest.ts';
import { sealImage } from '../golden/image-digest.ts';
import { parsePath } from '../image/tiny-options.ts';
import { invalidGolden } from '../invalid.ts';
import { isQcow2, QCOW2_HEADER_BYTES, readQcow2Header } from '../qcow2/qcow2-header.ts';
import { type DescribeOptions, describedMachine, parseDescribeOptions } from './describe-options.ts';
import { foreignFormatOf } from './foreign-format.ts';

/** Options of {@link describeDiskImage}. */
export interface DescribeDiskOptions extends DescribeOptions {
  /** Absolute path of the disk image. */
  readonly path: string;
  /**
   * What the file is. Name it for images from strangers: a raw disk whose content was made to look like qcow2 is
   * otherwise taken for one. @default 'qcow2' if it starts like one, else 'raw'
   */
  readonly format?: 'qcow2' | 'raw';
  /** Absolute path of a raw image for a second, read-only disk. See `cloudSeed`. @default none */
  readonly seed?: string;
}

/** Hypervisors give a guest whole sectors. */
const SECTOR_BYTES = 512;

/**
 * Describes your own bootable disk as a golden image. The file is read once for its digest and must not change
 * afterwards. Images that refer to other files are refused.
 * @throws TypeError, RangeError synchronously for bad options. Rejects with the signal's reason, or WARMVM_GOLDEN_INVALID
 * when the file cannot be read, is damaged, encrypted, or refers to other files
 */
export function describeDiskImage(options: DescribeDiskOptions): Promise<GoldenImage> {
  const settings = parseDescribeOptions(options);
  const path = parsePath('path', options.path);
  const seedPath = options.seed === undefined ? undefined : parsePath('seed', options.seed);
  const wanted = parseFormat(options.format);
  const describe = async (): Promise<GoldenImage> => {
    const disk = await referToFile(path, settings.reading);
    const { format, diskBytes } = await inspect(path, wanted);
    const seed = seedPath === undefined ? {} : { seed: await referToFile(seedPath, settings.reading) };
    const boot = { kind: 'disk', disk, format, diskBytes, ...seed } as const;
    return sealImage(settings.name, { ...describedMachine(settings), boot });
  };
  return describe();
}

/** What the head of a disk image says. */
export interface DiskFacts {
  readonly format: 'qcow2' | 'raw';
  /** Size of the disk that the guest sees. */
  readonly diskBytes: number;
}

/**
 * Looks at the head of a disk image, with the checks of {@link describeDiskImage}, and reads no more of it.
 * @throws TypeError synchronously for bad options. Rejects with WARMVM_GOLDEN_INVALID, as there
 */
export function inspectDiskImage(options: Pick<DescribeDiskOptions, 'path' | 'format'>): Promise<DiskFacts> {
  return inspect(parsePath('path', options.path), parseFormat(options.format));
}

function parseFormat(format: unknown): DiskFacts['format'] | undefined {
  if (format === undefined || format === 'qcow2' || format === 'raw') return format;
  throw new TypeError(`format is ${JSON.stringify(format)}; expected 'qcow2' or 'raw'.`);
}

async function inspect(path: string, wanted: DiskFacts['format'] | undefined): Promise<DiskFacts> {
  const { start, sizeBytes } = await readStart(path);
  const format = wanted ?? (isQcow2(start) ? 'qcow2' : 'raw');
  const foreign = wanted === undefined && format === 'raw' ? foreignFormatOf(start) : undefined;
  if (foreign !== undefined) {
    throw invalidGolden(
      `${path} looks like ${foreign.what}, which is no disk that a machine starts from; ${foreign.advice}.`,
      {
        path,
      },
    );
  }
  const diskBytes = format === 'qcow2' ? readQcow2Header(start, path, sizeBytes).virtualBytes : sizeBytes;
  if (diskBytes === 0 || diskBytes % SECTOR_BYTES !== 0) {
    throw invalidGolden(`${path} has ${diskBytes} bytes; a disk has whole sectors of ${SECTOR_BYTES} bytes.`, { path });
  }
  return { format, diskBytes };
}

async function readStart(path: string): Promise<{ start: Buffer; sizeBytes: number }> {
  const handle = await openRegular(path);
  try {
    const start = Buffer.alloc(QCOW2_HEADER_BYTES);
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    return { start: start.subarray(0, bytesRead), sizeBytes: (await handle.stat()).size };
  } finally {
    await handle.close();
  }
}
