import { resolve } from 'node:path';
import type { GoldenImage } from '@warmvm/core';
import {
  buildTinyImage,
  type DescribeOptions,
  describeDiskImage,
  describeKernelImage,
  inspectDiskImage,
} from '@warmvm/guest-image';
import { ConfigError } from '../config/config-error.ts';
import { messageOf } from '../errors/explain.ts';
import type { BuildOptions, ImportOptions, MachineOptions } from './command.ts';
import { copyInto } from './copy-file.ts';
import type { ImageStore, StoredImage } from './image-store.ts';
import { readingProgress } from './open-image.ts';

/** What putting an image into the store needs. */
export interface ImportCall {
  readonly store: ImageStore;
  readonly signal: AbortSignal;
  /** Told what is going on, in words for people. */
  readonly say: (text: string) => void;
}

/**
 * Copies the files of an image of the user's into the store, and describes them as they are there.
 * @throws ConfigError; WARMVM_GOLDEN_INVALID when they are no image
 */
export async function importImage(
  file: string | undefined,
  options: ImportOptions,
  call: ImportCall,
): Promise<StoredImage> {
  const { kernel, initrd } = options;
  if (file !== undefined && kernel === undefined && initrd === undefined) return importDisk(file, options, call);
  if (file === undefined && kernel !== undefined && initrd !== undefined) {
    return importKernel({ kernel, initrd }, options, call);
  }
  throw new ConfigError('expected either the file of a disk image, or --kernel and --initrd');
}

async function importDisk(file: string, options: ImportOptions, call: ImportCall): Promise<StoredImage> {
  const { name, format, commandLine } = options;
  if (commandLine !== undefined) throw new ConfigError('--command-line is for --kernel: a disk brings its own');
  const origin = resolve(file);
  const as = format === undefined ? {} : { format };
  // Before gigabytes are copied; what counts is the look at the copy.
  await inspectDiskImage({ path: origin, ...as });
  return call.store.add(name, origin, async (fileFor) => {
    const path = fileFor();
    await copy(origin, path, call);
    return described(() => describeDiskImage({ ...machineOf(options), ...as, path, ...reading(call) }));
  });
}

async function importKernel(
  files: { readonly kernel: string; readonly initrd: string },
  options: ImportOptions,
  call: ImportCall,
): Promise<StoredImage> {
  const { name, commandLine, format } = options;
  if (format !== undefined) throw new ConfigError('--format is for disk images');
  const [from, with_] = [resolve(files.kernel), resolve(files.initrd)];
  return call.store.add(name, `${from} ${with_}`, async (fileFor) => {
    const [kernel, initrd] = [fileFor(), fileFor()];
    await copy(from, kernel, call);
    await copy(with_, initrd, call);
    const line = commandLine === undefined ? {} : { commandLine };
    return described(() => describeKernelImage({ ...machineOf(options), ...line, kernel, initrd, ...reading(call) }));
  });
}

/**
 * Builds the tiny image; with a name, a copy of it is kept in the store, which no update of a package changes.
 * @throws what `buildTinyImage` throws, and ConfigError
 */
export async function buildImage(
  { name, memory, cpus, disk, architecture }: BuildOptions,
  { store, signal, say }: ImportCall,
): Promise<{ readonly image: GoldenImage; readonly stored?: StoredImage }> {
  const image = await buildTinyImage({
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(cpus === undefined ? {} : { virtualCpus: cpus }),
    ...(disk === undefined ? {} : { diskBytes: disk }),
    ...(architecture === undefined ? {} : { architecture }),
    signal,
    onProgress: ({ step }) => say(`image: ${step}`),
  });
  const { boot } = image;
  if (name === undefined || boot.kind !== 'kernel') return { image };
  const stored = await store.add(name, 'warmvm image build', async (fileFor) => {
    const [kernel, initrd] = [fileFor(), fileFor()];
    await copy(boot.kernel.path, kernel, { signal, say });
    await copy(boot.initrd.path, initrd, { signal, say });
    return {
      ...image,
      boot: { ...boot, kernel: { ...boot.kernel, path: kernel }, initrd: { ...boot.initrd, path: initrd } },
    };
  });
  return { image, stored };
}

async function copy(from: string, to: string, { signal, say }: Pick<ImportCall, 'signal' | 'say'>): Promise<void> {
  try {
    await copyInto(from, to, { signal, onProgress: readingProgress(say, 'copying') });
  } catch (cause) {
    signal.throwIfAborted();
    throw new ConfigError(`${from} cannot be copied to ${to}: ${messageOf(cause)}`, { cause });
  }
}

/** Options that the description refuses are the user's. */
async function described(describe: () => Promise<GoldenImage>): Promise<GoldenImage> {
  try {
    return await describe();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError)
      throw new ConfigError(messageOf(error), { cause: error });
    throw error;
  }
}

function reading({ signal, say }: ImportCall): Pick<DescribeOptions, 'signal' | 'onProgress'> {
  return { signal, onProgress: readingProgress(say, 'checking') };
}

function machineOf({ memory, cpus, network, renewal, architecture }: MachineOptions): DescribeOptions {
  return {
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(cpus === undefined ? {} : { virtualCpus: cpus }),
    ...(network === undefined ? {} : { network }),
    ...(architecture === undefined ? {} : { architecture }),
    renewal: { command: renewal },
  };
}
