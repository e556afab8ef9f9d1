/** Options of {@link emptyQcow2}. */
export interface EmptyQcow2Options {
  /** Size that the guest sees: whole sectors of 512 bytes, at most 2^45. */
  readonly virtualBytes: number;
  /** What shows wherever nothing is written: an absolute path and its format. @default zeros */
  readonly backing?: { readonly path: string; readonly format: 'qcow2' | 'raw' };
}

const CLUSTER_BITS = 16;
/** What all tools default to. */
const CLUSTER_BYTES = 2 ** CLUSTER_BITS;
const SECTOR_BYTES = 512;
const HEADER_BYTES = 104;
const EXTENSION_BACKING_FORMAT = 0xe2792aca;
/** QEMU's own bound for the name of a backing file. */
const MAXIMUM_PATH_BYTES = 1023;
/** 32 TiB: its L1 table has a few hundred KiB, and one refcount block is enough for the head. */
const MAXIMUM_VIRTUAL_BYTES = 2 ** 45;

/**
 * The bytes of an empty qcow2 version 3: header, refcount table, one refcount block, L1 table; four clusters of 64 KiB up to 4 TiB.
 * Written to a file, it is what `qemu-img create` makes, without starting a process. Layout: QEMU's docs/interop/qcow2.txt.
 * @throws RangeError for a size or a path that the format cannot carry
 */
export function emptyQcow2(options: EmptyQcow2Options): Uint8Array {
  const { virtualBytes, backing } = options;
  checkOptions(options);
  const bytesPerL2 = (CLUSTER_BYTES / 8) * CLUSTER_BYTES;
  const l1Entries = Math.max(1, Math.ceil(virtualBytes / bytesPerL2));
  const l1Clusters = Math.ceil((l1Entries * 8) / CLUSTER_BYTES);
  const clusters = 3 + l1Clusters;
  const image = Buffer.alloc(clusters * CLUSTER_BYTES);
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(3, 4);
  image.writeUInt32BE(CLUSTER_BITS, 20);
  image.writeBigUInt64BE(BigInt(virtualBytes), 24);
  image.writeUInt32BE(l1Entries, 36);
  image.writeBigUInt64BE(BigInt(3 * CLUSTER_BYTES), 40);
  image.writeBigUInt64BE(BigInt(CLUSTER_BYTES), 48);
  image.writeUInt32BE(1, 56);
  // Refcounts of 2^4 bits.
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(HEADER_BYTES, 100);
  if (backing !== undefined) writeBacking(image, backing);
  image.writeBigUInt64BE(BigInt(2 * CLUSTER_BYTES), CLUSTER_BYTES);
  for (let cluster = 0; cluster < clusters; cluster += 1) image.writeUInt16BE(1, 2 * CLUSTER_BYTES + 2 * cluster);
  return image;
}

/** The extension with the format (padded to 8 bytes), the end of extensions (8 zeros), and then the path. */
function writeBacking(image: Buffer, { path, format }: NonNullable<EmptyQcow2Options['backing']>): void {
  image.writeUInt32BE(EXTENSION_BACKING_FORMAT, HEADER_BYTES);
  image.writeUInt32BE(format.length, HEADER_BYTES + 4);
  image.write(format, HEADER_BYTES + 8, 'latin1');
  const pathOffset = HEADER_BYTES + 16 + 8;
  image.writeBigUInt64BE(BigInt(pathOffset), 8);
  image.writeUInt32BE(Buffer.byteLength(path), 16);
  image.write(path, pathOffset, 'utf8');
}

function checkOptions({ virtualBytes, backing }: EmptyQcow2Options): void {
  const fits = Number.isSafeInteger(virtualBytes) && virtualBytes > 0 && virtualBytes <= MAXIMUM_VIRTUAL_BYTES;
  if (!fits || virtualBytes % SECTOR_BYTES !== 0) {
    throw new RangeError(`virtualBytes is ${virtualBytes}, expected whole sectors of 512 bytes, at most 2^45`);
  }
  if (backing === undefined) return;
  const bytes = Buffer.byteLength(backing.path);
  if (!backing.path.startsWith('/') || bytes > MAXIMUM_PATH_BYTES || backing.path.includes('\0')) {
    throw new RangeError(
      `backing.path is ${JSON.stringify(backing.path)}, expected an absolute path of at most ${MAXIMUM_PATH_BYTES} bytes`,
    );
  }
}
