import { chmod, constants, copyFile, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type GoldenImage, WarmvmError } from '@warmvm/core/driver';
import type { BootPlan, DiskPlan } from '../command-line/machine-plan.ts';
import { writeOverlay } from '../overlay/overlay.ts';
import { fileOf } from './template.ts';

/** For the QEMU of any user that inherits the file; the folders above are closed to all others. */
const READABLE = 0o444;
const WRITABLE = 0o666;

/** Copies for the time of the boot. */
const BOOT_FILES = ['kernel', 'initrd'] as const;

/** How the image starts, from its own files. */
export function bootOf({ boot }: GoldenImage): BootPlan {
  if (boot.kind === 'disk') return { kind: 'disk' };
  const { kernel, initrd, commandLine } = boot;
  return { kind: 'kernel', kernelPath: kernel.path, initrdPath: initrd.path, commandLine };
}

/** The machine of arm64 has no BIOS, and no firmware comes with this driver. @throws WARMVM_NOT_SUPPORTED */
export function requireBootable({ name, architecture, boot }: GoldenImage): void {
  if (architecture === 'x86_64' || boot.kind === 'kernel') return;
  throw new WarmvmError(
    'WARMVM_NOT_SUPPORTED',
    `image ${name} is a disk for ${architecture}, which boots with firmware only`,
    {
      details: { image: name, architecture, expected: 'a kernel with an initrd, or a disk for x86_64' },
    },
  );
}

/** A blank disk is a sparse raw file; one of the user's is never written, but lies below an overlay. */
export function diskFormatOf({ boot }: GoldenImage): 'qcow2' | 'raw' {
  return boot.kind === 'kernel' ? 'raw' : 'qcow2';
}

/** QEMU opens a kernel again, with its own rights: one that only we may read goes along. */
export async function bootFiles(image: GoldenImage, directory: string): Promise<BootPlan> {
  const plan = bootOf(image);
  if (plan.kind !== 'kernel') return plan;
  const [kernelPath, initrdPath] = BOOT_FILES.map((name) => join(directory, name)) as [string, string];
  for (const [from, to] of [
    [plan.kernelPath, kernelPath],
    [plan.initrdPath, initrdPath],
  ] as const) {
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    await chmod(to, READABLE);
  }
  return { ...plan, kernelPath, initrdPath };
}

/** A second disk, which forks share: nobody writes to it. */
export function seedOf({ boot }: GoldenImage): readonly DiskPlan[] {
  if (boot.kind !== 'disk' || boot.seed === undefined) return [];
  return [{ path: boot.seed.path, format: 'raw', readOnly: true }];
}

/** Made ahead, so that QEMU makes no files of its own. */
export async function makeMemory({ memoryBytes }: GoldenImage, path: string): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.truncate(memoryBytes);
    // The template's QEMU opens it again, with its own rights.
    await handle.chmod(WRITABLE);
  } finally {
    await handle.close();
  }
}

/** The template's disk, blank or over the user's own. */
export async function makeDisk({ boot }: GoldenImage, path: string): Promise<DiskPlan> {
  if (boot.kind === 'disk') {
    const { disk, format, diskBytes } = boot;
    await writeOverlay(path, { backingPath: disk.path, backingFormat: format, virtualBytes: diskBytes });
    return { path, format: 'qcow2', backing: { path: disk.path, format } };
  }
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.truncate(boot.diskBytes);
  } finally {
    await handle.close();
  }
  return { path, format: 'raw' };
}

/** The memory is one file, the disk another; whichever is longer. */
export function templateFileBytes({ memoryBytes, boot }: GoldenImage): number {
  return Math.max(memoryBytes, boot.diskBytes) + 2 ** 26;
}

/** Nobody writes to the files from now on. */
export async function closeFiles(directory: string): Promise<void> {
  for (const name of BOOT_FILES) await rm(join(directory, name), { force: true });
  await chmod(fileOf(directory, 'state'), 0o400);
  await chmod(fileOf(directory, 'disk'), 0o400);
  await chmod(fileOf(directory, 'memory'), READABLE);
}
