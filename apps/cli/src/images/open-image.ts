import { resolve } from 'node:path';
import type { GoldenImage } from '@warmvm/core';
import { buildTinyImage, describeDiskImage, describeKernelImage } from '@warmvm/guest-image';
import type { DiskChoice, GuestChoice, ImageChoice, KernelChoice } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';

/** What {@link openImage} needs besides the choice. */
export interface OpenImageOptions {
  /** Where relative paths start from. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told what is going on, in words for people. */
  readonly say: (text: string) => void;
}

/**
 * The golden image that was chosen; the tiny one is built where it is not there yet.
 * @throws ConfigError, WARMVM_GOLDEN_INVALID
 */
export async function openImage(choice: ImageChoice, options: OpenImageOptions): Promise<GoldenImage> {
  const { folder, signal, say } = options;
  if (typeof choice === 'string') {
    if (choice === 'tiny') return openImage({ tiny: true }, options);
    throw new ConfigError(
      `there is no image ${JSON.stringify(choice)}; expected tiny, or a description in the configuration`,
    );
  }
  if ('disk' in choice) {
    return describeDiskImage({ path: resolve(folder, choice.disk), ...described(choice), signal });
  }
  if ('kernel' in choice) {
    return describeKernelImage({
      kernel: resolve(folder, choice.kernel),
      initrd: resolve(folder, choice.initrd),
      ...(choice.commandLine === undefined ? {} : { commandLine: choice.commandLine }),
      ...described(choice),
      signal,
    });
  }
  return buildTinyImage({ ...guest(choice), signal, onProgress: ({ step }) => say(`image: ${step}`) });
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
