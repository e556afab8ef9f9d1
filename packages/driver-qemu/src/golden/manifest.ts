import type { MachinePlan } from '../command-line/machine-plan.ts';
import type { CardFacts } from '../network/card.ts';

/** What a golden snapshot on disk says of itself. */
export interface GoldenManifest {
  readonly format: 2;
  /** What the device state depends on. See `compatibilityKey`. */
  readonly key: string;
  /** Digest of the golden image. */
  readonly digest: string;
  /** Generation id that the guest carries in memory and on disk: how a fork proves where it comes from. */
  readonly generationId: string;
  /** Absolute path of the renewal program in the guest. */
  readonly renewal: string;
  /** The template's machine. Of the paths in it only those of the user's own disks mean anything after its making. */
  readonly plan: MachinePlan;
  /** Its network card; absent where it has none. */
  readonly card?: CardFacts;
  readonly diskFormat: 'qcow2' | 'raw';
  /** Size of the disk that the guest sees. */
  readonly diskBytes: number;
  readonly files: Readonly<Record<GoldenFileName, FileFacts>>;
}

/** Files of a golden snapshot, beside its manifest. */
export const GOLDEN_FILES = ['memory', 'disk', 'state'] as const;
export type GoldenFileName = (typeof GOLDEN_FILES)[number];
export const MANIFEST_NAME = 'manifest.json';

/** What a file held when it was made. */
export interface FileFacts {
  readonly sizeBytes: number;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Reads a manifest that this version wrote; undefined for anything else. */
export function readManifest(text: string): GoldenManifest | undefined {
  try {
    const manifest = JSON.parse(text) as GoldenManifest;
    const sensible =
      manifest.format === 2 &&
      [manifest.key, manifest.digest, manifest.generationId, manifest.renewal].every(
        (word) => typeof word === 'string',
      ) &&
      typeof manifest.plan === 'object' &&
      Number.isSafeInteger(manifest.diskBytes) &&
      GOLDEN_FILES.every((name) => Number.isSafeInteger(manifest.files[name].sizeBytes)) &&
      GOLDEN_FILES.every((name) => DIGEST.test(manifest.files[name].digest));
    return sensible ? manifest : undefined;
  } catch {
    return undefined;
  }
}
