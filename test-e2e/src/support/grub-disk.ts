import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KernelBoot } from '@warmvm/core';

const run = promisify(execFile);
const GRUB = '/usr/lib/grub/i386-pc';
const SECTOR = 512;
const MIB = 2 ** 20;
/** Where partitions begin by custom; the boot loader lies before. */
const PARTITION_SECTOR = 2048;
const PARTITION_MIB = 96;

/** The sum of a boot sector's code, so that the partition table behind it stays. */
const BOOT_CODE_BYTES = 440;

/**
 * Makes a disk as a user has one: a boot sector, GRUB, and a partition with ext4 that holds kernel and initrd. The BIOS boots it, and
 * the guest's own file system is on it. Needs grub-pc-bin, e2fsprogs, cpio and qemu-img.
 */
export async function grubDisk(path: string, boot: KernelBoot): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-grub-'));
  try {
    const at = (name: string): string => join(folder, name);
    await mkdir(at('root/boot'), { recursive: true });
    await copyFile(boot.kernel.path, at('root/boot/kernel'));
    await copyFile(boot.initrd.path, at('root/boot/initrd'));
    await writeFile(at('root/boot/partition'), await firstPartitionInit(folder, boot.initrd.path));
    await writeFile(at('grub.cfg'), script(boot.commandLine));
    await run('grub-mkimage', ['-O', 'i386-pc', '-p', '/boot', '-c', at('grub.cfg'), '-o', at('core.img'), ...MODULES]);
    await run('mke2fs', ['-q', '-t', 'ext4', '-d', at('root'), at('partition'), `${PARTITION_MIB}M`]);
    await assemble(at('disk'), at('core.img'), at('partition'));
    await run('qemu-img', ['convert', '-O', 'qcow2', at('disk'), path]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const MODULES = ['biosdisk', 'part_msdos', 'ext2', 'linux', 'normal', 'minicmd'];

function script(commandLine: string): string {
  return [
    'set root=(hd0,msdos1)',
    `linux /boot/kernel ${commandLine}`,
    'initrd /boot/initrd /boot/partition',
    'boot',
    '',
  ].join('\n');
}

/** A second initrd, whose init mounts the first partition instead of the whole disk. */
async function firstPartitionInit(folder: string, initrd: string): Promise<Buffer> {
  await pipeInto('cpio', ['-i', '--quiet', 'init'], folder, await readFile(initrd));
  const init = await readFile(join(folder, 'init'), 'utf8');
  const changed = init.replace('disk=/dev/vda\n', 'disk=/dev/vda1\n');
  if (changed === init) throw new Error('the init of the tiny image does not name its disk as this expects');
  await writeFile(join(folder, 'init'), changed);
  return pipeInto('cpio', ['-o', '-H', 'newc', '--quiet'], folder, Buffer.from('init\n'));
}

async function assemble(path: string, core: string, partition: string): Promise<void> {
  const disk = await open(path, 'w');
  try {
    const sector = Buffer.alloc(SECTOR);
    (await readFile(join(GRUB, 'boot.img'))).copy(sector, 0, 0, BOOT_CODE_BYTES);
    // One bootable Linux partition, by sectors alone, and the signature.
    sector.set([0x80, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff], 446);
    sector.writeUInt32LE(PARTITION_SECTOR, 454);
    sector.writeUInt32LE((PARTITION_MIB * MIB) / SECTOR, 458);
    sector.set([0x55, 0xaa], 510);
    await disk.write(sector, 0, SECTOR, 0);
    const loader = await readFile(core);
    if (loader.byteLength > (PARTITION_SECTOR - 1) * SECTOR) throw new Error('GRUB does not fit before the partition');
    await disk.write(loader, 0, loader.byteLength, SECTOR);
    const content = await readFile(partition);
    await disk.write(content, 0, content.byteLength, PARTITION_SECTOR * SECTOR);
  } finally {
    await disk.close();
  }
}

async function pipeInto(program: string, words: readonly string[], cwd: string, input: Buffer): Promise<Buffer> {
  const running = run(program, [...words], { cwd, encoding: 'buffer', maxBuffer: 64 * MIB });
  running.child.stdin?.on('error', () => {});
  running.child.stdin?.end(input);
  return (await running).stdout;
}
