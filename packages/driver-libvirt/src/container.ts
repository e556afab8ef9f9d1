import type { GoldenImage } from '@warmvm/core/driver';

/**
 * The file behind a machine's disk: 64 KiB of zeros, then a qcow2 image that holds disk and memory snapshot.
 *
 * The zeros keep libvirt from recognising the qcow2: it clones a volume it believes raw byte for byte on the host, while a
 * qcow2 goes through `qemu-img convert`, which drops internal snapshots. QEMU finds the image through a storage slice.
 */
export interface Container {
  /** Where the qcow2 begins. */
  readonly offsetBytes: number;
  /** Room for the qcow2; the file is sparse. */
  readonly sliceBytes: number;
  /** Size of the whole file. */
  readonly fileBytes: number;
}

/** Zeros in front of the qcow2; one cluster. */
const OFFSET_BYTES = 65_536;
/** Size of a qcow2 cluster that all tools default to. */
const CLUSTER_BYTES = 65_536;
const MEBIBYTE = 2 ** 20;

/** Room for one memory snapshot, the disk as it was then, and what a tenant writes over it. */
export function containerFor(image: GoldenImage, maxOverlayBytes: number): Container {
  const growth = Math.min(2 * image.boot.diskBytes, maxOverlayBytes);
  const sliceBytes = Math.ceil((image.memoryBytes + growth + 64 * MEBIBYTE) / MEBIBYTE) * MEBIBYTE;
  return { offsetBytes: OFFSET_BYTES, sliceBytes, fileBytes: OFFSET_BYTES + sliceBytes };
}

/** The first bytes of a container: the zeros and an empty qcow2 of the given virtual size, over a backing file if named. */
export function containerHead(virtualBytes: number, backingPath?: string): Uint8Array {
  const qcow2 = emptyQcow2(virtualBytes, backingPath);
  const head = new Uint8Array(OFFSET_BYTES + qcow2.byteLength);
  head.set(qcow2, OFFSET_BYTES);
  return head;
}

/**
 * An empty qcow2 version 3: header, refcount table, one refcount block, L1 table. Layout: QEMU's docs/interop/qcow2.txt.
 */
function emptyQcow2(virtualBytes: number, backingPath: string | undefined): Uint8Array {
  const headerBytes = 104;
  const bytesPerL2 = (CLUSTER_BYTES / 8) * CLUSTER_BYTES;
  const l1Entries = Math.max(1, Math.ceil(virtualBytes / bytesPerL2));
  const l1Clusters = Math.ceil((l1Entries * 8) / CLUSTER_BYTES);
  const clusters = 3 + l1Clusters;
  const image = Buffer.alloc(clusters * CLUSTER_BYTES);
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(3, 4);
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(BigInt(virtualBytes), 24);
  image.writeUInt32BE(l1Entries, 36);
  image.writeBigUInt64BE(BigInt(3 * CLUSTER_BYTES), 40);
  image.writeBigUInt64BE(BigInt(CLUSTER_BYTES), 48);
  image.writeUInt32BE(1, 56);
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(headerBytes, 100);
  let end = headerBytes;
  if (backingPath !== undefined) {
    const backingFormat = Buffer.from('qcow2');
    image.writeUInt32BE(0xe2792aca, end);
    image.writeUInt32BE(backingFormat.byteLength, end + 4);
    backingFormat.copy(image, end + 8);
    end += 16;
  }
  end += 8;
  if (backingPath !== undefined) {
    const path = Buffer.from(backingPath);
    image.writeBigUInt64BE(BigInt(end), 8);
    image.writeUInt32BE(path.byteLength, 16);
    path.copy(image, end);
  }
  image.writeBigUInt64BE(BigInt(2 * CLUSTER_BYTES), CLUSTER_BYTES);
  for (let cluster = 0; cluster < clusters; cluster += 1) image.writeUInt16BE(1, 2 * CLUSTER_BYTES + 2 * cluster);
  return image;
}
