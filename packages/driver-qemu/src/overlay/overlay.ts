import { open, rm } from 'node:fs/promises';
import { emptyQcow2 } from '@warmvm/guest-image';

/** Options of {@link writeOverlay}. */
export interface OverlayOptions {
  /** Absolute path of the disk that the overlay lies over; it is only read. */
  readonly backingPath: string;
  readonly backingFormat: 'qcow2' | 'raw';
  /** Size that the guest sees: whole sectors of 512 bytes. */
  readonly virtualBytes: number;
  /** What a tenant may write, in bytes of the file, besides the format's own tables. @default no less than the disk has */
  readonly maxOverlayBytes?: number;
}

/** An overlay on disk. */
export interface Overlay {
  readonly path: string;
  /** Bound for `DiskPlan.fileBytes`: the file has this length, sparse, and QEMU makes it no longer. */
  readonly fileBytes: number;
}

const CLUSTER_BYTES = 65_536;
/** Clusters whose addresses one L2 table holds, and whose use one refcount block counts. */
const CLUSTERS_PER_L2 = CLUSTER_BYTES / 8;
const CLUSTERS_PER_REFCOUNT_BLOCK = CLUSTER_BYTES / 2;
/** Head, and refcount tables that grow by copying. */
const SLACK_BYTES = 2 ** 20;

/**
 * Makes an empty qcow2 overlay (mode 0600) without starting a process. The file must not exist; when the call fails it does not.
 * The guest is told of an error once it has written as much as it may, and the host's disk is safe from it.
 * @throws RangeError synchronously for a size or path that qcow2 cannot carry; rejects with the file system's error
 */
export function writeOverlay(path: string, options: OverlayOptions): Promise<Overlay> {
  const { backingPath, backingFormat, virtualBytes } = options;
  const head = emptyQcow2({ virtualBytes, backing: { path: backingPath, format: backingFormat } });
  const fileBytes = overlayBytes(virtualBytes, options.maxOverlayBytes, head.byteLength);
  const write = async (): Promise<Overlay> => {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.write(head, 0, head.byteLength, 0);
      await handle.truncate(fileBytes);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return { path, fileBytes };
  };
  return write();
}

/** Length of a file in which so much data fits, with the tables that lead to it. */
function overlayBytes(virtualBytes: number, maxOverlayBytes: number | undefined, headBytes: number): number {
  const data = Math.min(virtualBytes, maxOverlayBytes ?? virtualBytes);
  const dataClusters = Math.ceil(data / CLUSTER_BYTES);
  // Each table may hold a single cluster when the guest writes here and there: as many as the whole disk has, no more than data.
  const tables = Math.min(dataClusters, Math.ceil(virtualBytes / CLUSTER_BYTES / CLUSTERS_PER_L2));
  const counts = Math.ceil((dataClusters + tables) / CLUSTERS_PER_REFCOUNT_BLOCK) + 1;
  return headBytes + (dataClusters + tables + counts) * CLUSTER_BYTES + SLACK_BYTES;
}
