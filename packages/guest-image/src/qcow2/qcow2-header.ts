import { invalidGolden } from '../invalid.ts';

/** The bytes that {@link readQcow2Header} looks at; the longest header of version 3 that is in use. */
export const QCOW2_HEADER_BYTES = 112;

/** What a qcow2 header says that matters to a golden image. */
export interface Qcow2Header {
  readonly version: 2 | 3;
  /** Size of the disk the guest sees. */
  readonly virtualBytes: number;
}

const MAGIC = 0x5146_49fb;
const INCOMPATIBLE_DIRTY = 1n << 0n;
const INCOMPATIBLE_CORRUPT = 1n << 1n;
const INCOMPATIBLE_DATA_FILE = 1n << 2n;
/** Compression type and extended L2 entries: nothing outside of the file hangs on them. */
const INCOMPATIBLE_HARMLESS = (1n << 3n) | (1n << 4n);

/** Whether these first bytes of a file are those of a qcow2 image. */
export function isQcow2(start: Buffer): boolean {
  return start.length >= 4 && start.readUInt32BE(0) === MAGIC;
}

/** What QEMU opens: 32 MiB of first-level table, 8 MiB of reference counts. */
const MOST_L1_ENTRIES = 4_194_304;
const MOST_REFERENCE_TABLE_BYTES = 8_388_608;
const EXTENDED_L2 = 1n << 4n;

/**
 * Reads a qcow2 header, and refuses whatever would make the hypervisor open another file: a backing file or data file
 * may name any file of the host, which the guest could then read.
 * @param path only for errors
 * @param fileBytes size of the file: its tables must be large enough for the disk, and lie within it. @default not checked
 * @throws WARMVM_GOLDEN_INVALID saying what to do about it
 */
export function readQcow2Header(start: Buffer, path: string, fileBytes?: number): Qcow2Header {
  const refuse = (problem: string, advice: string): Error => invalidGolden(`${path} ${problem}; ${advice}.`, { path });
  if (!isQcow2(start)) throw refuse('is not a qcow2 image', "pass format: 'raw' if it is a raw disk");
  if (start.length < 72) throw refuse('ends within its header', 'it is truncated, copy it again');
  const version = start.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw refuse(`has the qcow2 version ${version}`, 'expected 2 or 3');
  if (start.readBigUInt64BE(8) !== 0n || start.readUInt32BE(16) !== 0) {
    throw refuse('has a backing file', 'flatten it with `qemu-img convert -O qcow2 <it> <new file>`');
  }
  const clusterBits = start.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21)
    throw refuse(`has clusters of 2^${clusterBits} bytes`, 'the header is damaged');
  if (start.readUInt32BE(32) !== 0) {
    throw refuse('is encrypted', 'decrypt it with `qemu-img convert`; keep the copy private');
  }
  if (version === 3) checkFeatures(start, refuse);
  const virtualBytes = checkedSize(start.readBigUInt64BE(24), refuse);
  if (fileBytes !== undefined) checkTables(start, { version, virtualBytes }, fileBytes, refuse);
  return { version, virtualBytes };
}

/** As QEMU does when it opens the file, and whether the tables are there at all. */
function checkTables(
  start: Buffer,
  { version, virtualBytes }: Qcow2Header,
  fileBytes: number,
  refuse: (problem: string, advice: string) => Error,
): void {
  const damaged = (problem: string): Error => refuse(problem, 'it is damaged or truncated: copy or convert it again');
  const clusterBytes = 2 ** start.readUInt32BE(20);
  const extended = version === 3 && (start.readBigUInt64BE(72) & EXTENDED_L2) !== 0n;
  const entries = start.readUInt32BE(36);
  const needed = Math.ceil(virtualBytes / (clusterBytes * (clusterBytes / (extended ? 16 : 8))));
  if (entries > MOST_L1_ENTRIES) throw damaged(`has a first-level table of ${entries} entries`);
  if (entries < needed) throw damaged(`has a first-level table of ${entries} entries where its disk needs ${needed}`);
  const countBytes = start.readUInt32BE(56) * clusterBytes;
  if (countBytes === 0) throw damaged('has no table of reference counts');
  if (countBytes > MOST_REFERENCE_TABLE_BYTES) throw damaged(`has a table of reference counts of ${countBytes} bytes`);
  const tables = [
    ['first-level table', start.readBigUInt64BE(40), entries * 8],
    ['table of reference counts', start.readBigUInt64BE(48), countBytes],
  ] as const;
  for (const [name, offset, sizeBytes] of tables) {
    if (offset === 0n || offset % BigInt(clusterBytes) !== 0n) throw damaged(`has its ${name} at offset ${offset}`);
    if (offset + BigInt(sizeBytes) > BigInt(fileBytes)) throw damaged(`ends before the end of its ${name}`);
  }
  if (version === 2) return;
  const headerBytes = start.readUInt32BE(100);
  if (headerBytes < 104 || headerBytes > clusterBytes) throw damaged(`has a header of ${headerBytes} bytes`);
  if (start.readUInt32BE(96) > 6) throw damaged(`has reference counts of 2^${start.readUInt32BE(96)} bits`);
}

function checkFeatures(start: Buffer, refuse: (problem: string, advice: string) => Error): void {
  if (start.length < 104) throw refuse('ends within its header', 'it is truncated, copy it again');
  const features = start.readBigUInt64BE(72);
  const repair = 'repair it with `qemu-img check -r all <it>`';
  if ((features & INCOMPATIBLE_DATA_FILE) !== 0n) {
    throw refuse(
      'keeps its data in another file',
      'make one file of it with `qemu-img convert -O qcow2 <it> <new file>`',
    );
  }
  if ((features & INCOMPATIBLE_CORRUPT) !== 0n) throw refuse('is marked as corrupt', repair);
  if ((features & INCOMPATIBLE_DIRTY) !== 0n) throw refuse('was not closed properly or is in use', repair);
  const unknown = features & ~INCOMPATIBLE_HARMLESS;
  if (unknown !== 0n)
    throw refuse(`needs unknown features (0x${unknown.toString(16)})`, 'convert it with `qemu-img convert`');
}

function checkedSize(size: bigint, refuse: (problem: string, advice: string) => Error): number {
  if (size === 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw refuse(`has the virtual size ${size}`, 'expected 1 byte to 2^53 - 1 bytes');
  }
  return Number(size);
}
