import type { GoldenImage } from '@warmvm/core/driver';
import { emptyQcow2 } from '@warmvm/guest-image';

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
const MEBIBYTE = 2 ** 20;

/** Room for one memory snapshot, the disk as it was then, and what a tenant writes over it. */
export function containerFor(image: GoldenImage, maxOverlayBytes: number): Container {
  const growth = Math.min(2 * image.boot.diskBytes, maxOverlayBytes);
  const sliceBytes = Math.ceil((image.memoryBytes + growth + 64 * MEBIBYTE) / MEBIBYTE) * MEBIBYTE;
  return { offsetBytes: OFFSET_BYTES, sliceBytes, fileBytes: OFFSET_BYTES + sliceBytes };
}

/** The first bytes of a container: the zeros and an empty qcow2 of the given virtual size, over a backing file if named. */
export function containerHead(virtualBytes: number, backingPath?: string): Uint8Array {
  const backing = backingPath === undefined ? {} : { backing: { path: backingPath, format: 'qcow2' } as const };
  const qcow2 = emptyQcow2({ virtualBytes, ...backing });
  const head = new Uint8Array(OFFSET_BYTES + qcow2.byteLength);
  head.set(qcow2, OFFSET_BYTES);
  return head;
}
