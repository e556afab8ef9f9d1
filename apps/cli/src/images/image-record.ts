import type { GoldenImage } from '@warmvm/core';
import { z } from 'zod';

/** A file of an image in the store: beside its record, by a name that only the record tells. */
export interface StoredFile {
  readonly file: string;
  readonly digest: string;
  readonly sizeBytes: number;
  /** What shows that the file is still the one that was read for the digest: any change to it changes this. */
  readonly mark: string;
}

/** What is written down of an image in the store. */
export interface ImageRecord {
  readonly format: 1;
  /** Of the whole image, as golden snapshots are addressed by it. */
  readonly digest: string;
  readonly architecture: 'x86_64' | 'aarch64';
  readonly memoryBytes: number;
  readonly virtualCpus: number;
  readonly network: 'none' | 'user';
  readonly renewal?: string | undefined;
  readonly boot: StoredDiskBoot | StoredKernelBoot;
  /** Where it came from, for people. */
  readonly origin: string;
  readonly createdAt: string;
}

interface StoredDiskBoot {
  readonly kind: 'disk';
  readonly disk: StoredFile;
  readonly format: 'qcow2' | 'raw';
  readonly diskBytes: number;
}

interface StoredKernelBoot {
  readonly kind: 'kernel';
  readonly kernel: StoredFile;
  readonly initrd: StoredFile;
  readonly commandLine: string;
  readonly diskBytes: number;
}

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const storedFile = z.strictObject({
  file: z.string().regex(/^[0-9a-f]{32}$/),
  digest,
  sizeBytes: z.number().int().min(0),
  mark: z.string().max(200),
});
const diskBytes = z.number().int().min(1);

const recordSchema: z.ZodType<ImageRecord> = z.strictObject({
  format: z.literal(1),
  digest,
  architecture: z.enum(['x86_64', 'aarch64']),
  memoryBytes: z.number().int().min(1),
  virtualCpus: z.number().int().min(1),
  network: z.enum(['none', 'user']),
  renewal: z.string().optional(),
  boot: z.union([
    z.strictObject({ kind: z.literal('disk'), disk: storedFile, format: z.enum(['qcow2', 'raw']), diskBytes }),
    z.strictObject({
      kind: z.literal('kernel'),
      kernel: storedFile,
      initrd: storedFile,
      commandLine: z.string(),
      diskBytes,
    }),
  ]),
  origin: z.string().max(8192),
  createdAt: z.iso.datetime(),
});

/** Reads a record; undefined for anything else. */
export function parseRecord(text: string): ImageRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The files of an image. */
export function filesOf({ boot }: ImageRecord): readonly StoredFile[] {
  return boot.kind === 'disk' ? [boot.disk] : [boot.kernel, boot.initrd];
}

/** The record of an image whose files lie in the store. */
export function recordOf(
  image: GoldenImage,
  stored: (path: string) => Pick<StoredFile, 'file' | 'mark'>,
  about: Pick<ImageRecord, 'origin' | 'createdAt'>,
): ImageRecord {
  const { digest, architecture, memoryBytes, virtualCpus, network, renewal, boot } = image;
  const file = ({ path, digest, sizeBytes }: { path: string; digest: string; sizeBytes: number }): StoredFile => ({
    ...stored(path),
    digest,
    sizeBytes,
  });
  return {
    format: 1,
    digest,
    architecture,
    memoryBytes,
    virtualCpus,
    network,
    ...(renewal === undefined ? {} : { renewal: renewal.command }),
    boot:
      boot.kind === 'disk'
        ? { kind: 'disk', disk: file(boot.disk), format: boot.format, diskBytes: boot.diskBytes }
        : {
            kind: 'kernel',
            kernel: file(boot.kernel),
            initrd: file(boot.initrd),
            commandLine: boot.commandLine,
            diskBytes: boot.diskBytes,
          },
    ...about,
  };
}
