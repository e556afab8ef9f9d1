import { type FileHandle, open } from 'node:fs/promises';
import type { BootPlan, DiskFilePlan, MachinePlan } from '../command-line/machine-plan.ts';

/** Where a process can name its open files. */
const HAS_DESCRIPTOR_PATHS = process.platform === 'linux';

/** A plan whose files QEMU inherits open. Dispose closes our side. */
export interface InheritedPlan extends AsyncDisposable {
  readonly plan: MachinePlan;
  /** In the order that QEMU has them. */
  readonly descriptors: readonly number[];
}

/**
 * Opens the files of a plan for a QEMU that inherits them, so that QEMU needs no right to any folder. A system without `/proc` keeps
 * the names: QEMU runs as our own user there.
 * @param first number in QEMU of the first file
 * @throws the system's error
 */
export async function inheritFiles(plan: MachinePlan, first: number): Promise<InheritedPlan> {
  if (!HAS_DESCRIPTOR_PATHS) return { plan, descriptors: [], [Symbol.asyncDispose]: async () => {} };
  const files = new InheritedFiles(first);
  try {
    const { memory } = plan;
    const file = memory.file && { ...memory.file, path: await files.reopened(memory.file.path) };
    const disks: MachinePlan['disks'][number][] = [];
    for (const disk of plan.disks) disks.push({ ...disk, ...(await diskFile(files, disk, disk.readOnly === true)) });
    return {
      plan: { ...plan, boot: await bootFiles(files, plan.boot), disks, ...(file && { memory: { ...memory, file } }) },
      descriptors: files.descriptors,
      [Symbol.asyncDispose]: () => files.close(),
    };
  } catch (error) {
    await files.close();
    throw error;
  }
}

async function bootFiles(files: InheritedFiles, boot: BootPlan): Promise<BootPlan> {
  if (boot.kind !== 'kernel') return boot;
  const kernelPath = await files.reopened(boot.kernelPath);
  return { ...boot, kernelPath, initrdPath: await files.reopened(boot.initrdPath) };
}

async function diskFile(files: InheritedFiles, file: DiskFilePlan, readOnly: boolean): Promise<DiskFilePlan> {
  const path = await files.disk(file.path, readOnly);
  const { backing } = file;
  return { path, format: file.format, ...(backing && { backing: await diskFile(files, backing, true) }) };
}

class InheritedFiles {
  readonly descriptors: number[] = [];
  readonly #first: number;
  readonly #handles: FileHandle[] = [];

  constructor(first: number) {
    this.#first = first;
  }

  /** QEMU takes a disk's file as it is, with the rights that it was opened with. */
  async disk(path: string, readOnly: boolean): Promise<string> {
    return `/dev/fdset/${await this.#open(path, readOnly ? 'r' : 'r+')}`;
  }

  /** QEMU opens everything else again. The system checks the file's own mode then, and no folder's. */
  async reopened(path: string): Promise<string> {
    return `/proc/self/fd/${await this.#open(path, 'r')}`;
  }

  async close(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((handle) => handle.close()));
  }

  async #open(path: string, flags: 'r' | 'r+'): Promise<number> {
    const handle = await open(path, flags);
    this.#handles.push(handle);
    this.descriptors.push(handle.fd);
    return this.#first + this.descriptors.length - 1;
  }
}
