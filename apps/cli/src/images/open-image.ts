import { resolve } from 'node:path';
import type { GoldenImage } from '@warmvm/core';
import { buildTinyImage, describeDiskImage, describeKernelImage } from '@warmvm/guest-image';
import type { DiskChoice, GuestChoice, ImageChoice, KernelChoice } from '../config/config.ts';
import { isImagePath, RENEWAL_PATH, TINY } from './image-name.ts';
import { ImageStore } from './image-store.ts';

/** What {@link openImage} needs besides the choice. */
export interface OpenImageOptions {
  /** Where relative paths start from. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told what is going on, in words for people. */
  readonly say: (text: string) => void;
  /** @default that of this user */
  readonly store?: ImageStore;
}

/**
 * The golden image that was chosen; the tiny one is built where it is not there yet, and one of the store is in use from now on.
 * @throws ConfigError for a name that is not there; WARMVM_GOLDEN_INVALID
 */
export async function openImage(choice: ImageChoice, options: OpenImageOptions): Promise<GoldenImage> {
  const { folder, signal, say } = options;
  if (typeof choice === 'string') {
    if (choice === TINY) return openImage({ tiny: true }, options);
    if (isImagePath(choice)) return openImage({ disk: choice, renewal: RENEWAL_PATH }, options);
    return (options.store ?? new ImageStore()).use(choice, signal);
  }
  const onProgress = readingProgress(say);
  if ('disk' in choice) {
    return describeDiskImage({ path: resolve(folder, choice.disk), ...described(choice), signal, onProgress });
  }
  if ('kernel' in choice) {
    return describeKernelImage({
      kernel: resolve(folder, choice.kernel),
      initrd: resolve(folder, choice.initrd),
      ...(choice.commandLine === undefined ? {} : { commandLine: choice.commandLine }),
      ...described(choice),
      signal,
      onProgress,
    });
  }
  return buildTinyImage({ ...guest(choice), signal, onProgress: ({ step }) => say(`image: ${step}`) });
}

/** Tells how far the reading of a file for its digest is, once for each per cent. */
export function readingProgress(
  say: (text: string) => void,
  what = 'reading the image',
): (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void {
  let told = -1;
  return ({ doneBytes, totalBytes }) => {
    const percent = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
    if (percent !== told) say(`${what} (${percent} %)`);
    told = percent;
  };
}

type Guest = { -readonly [Key in keyof GuestChoice]?: NonNullable<GuestChoice[Key]> };

function guest({ memoryBytes, virtualCpus }: GuestChoice): Omit<Guest, 'network'> {
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(virtualCpus === undefined ? {} : { virtualCpus }),
  };
}

function described(choice: DiskChoice | KernelChoice): Guest & { renewal?: { command: string } } {
  return {
    ...guest(choice),
    ...(choice.network === undefined ? {} : { network: choice.network }),
    ...(choice.renewal === undefined ? {} : { renewal: { command: choice.renewal } }),
  };
}
