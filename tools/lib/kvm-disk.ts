// Disks of an emulated computer with KVM: a Debian that has QEMU and libvirt, and in it the packed packages of this checkout.
import { existsSync } from 'node:fs';
import { appendFile, chmod, copyFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { packedProject } from './packed-project.ts';
import { run } from './run.ts';

const GIB = 2 ** 30;
const DISK_BYTES = 8 * GIB;
const RELEASE = 'bookworm';

/** QEMU that emulates the computer. Debian 12's own 7.2 hung once in the delivery of nested timer interrupts; 10.0 did not. */
const OUTSIDE_PACKAGES = ['qemu-system-x86'];

const INSIDE_PACKAGES = [
  ...[
    'systemd-sysv',
    'udev',
    'dbus',
    'kmod',
    'linux-image-amd64',
    'initramfs-tools',
    'lz4',
    'zstd',
    'xz-utils',
    'cpio',
  ],
  ...[
    'openssh-server',
    'ca-certificates',
    'iproute2',
    'procps',
    'netbase',
    'polkitd',
    'python3-minimal',
    'busybox-static',
  ],
  ...[
    'qemu-system-x86',
    'qemu-utils',
    'libvirt-daemon-system',
    'libvirt-daemon-driver-qemu',
    'libvirt-clients',
    'tini',
  ],
];

/** Units that only cost time in a computer that lives for an hour. */
const UNWANTED_UNITS = [
  ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'e2scrub_all.timer', 'e2scrub_reap.service', 'fstrim.timer'],
  ...['dpkg-db-backup.timer', 'libvirt-guests.service', 'systemd-networkd-wait-online.service'],
  ...['systemd-timesyncd.service', 'systemd-pstore.service'],
];

/** What {@link KvmComputer} boots. */
export interface KvmDisk {
  /** Root folder of a Debian whose QEMU emulates the computer; everything below lies in its `srv`. */
  readonly outside: string;
  /** Name of a file in `srv`. */
  readonly disk: string;
  /** Private key of the computer's root. */
  readonly key: string;
}

async function must(command: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { exitCode, output } = await run(command, args, { signal });
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${exitCode}:\n${output.slice(-4_000)}`);
  return output;
}

/** Mirror of this computer's own apt, so that a host that uses another one stays with it. */
async function mirror(): Promise<string> {
  for (const path of ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']) {
    const text = await readFile(path, 'utf8').catch(() => '');
    const found = /^(?:URIs:|deb)\s+(?:\[[^\]]*\]\s+)?(https?:\/\/\S+)/m.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error('found no Debian mirror in /etc/apt: the computer with KVM is made from Debian packages');
}

/** Makes a Debian in `folder`, which may be the root of an empty file system. */
async function debian(folder: string, packages: readonly string[], releases: readonly string[], signal: AbortSignal) {
  const from = await mirror();
  const newest = releases.at(-1) as string;
  await must(
    'mmdebstrap',
    [
      ...[
        '--variant=minbase',
        '--mode=root',
        `--include=${packages.join(',')}`,
        '--skip=check/empty,cleanup/apt/lists',
      ],
      ...['Install-Recommends "false"', `Default-Release "${newest}"`].map((words) => `--aptopt=APT::${words}`),
      '--aptopt=Acquire::Languages "none"',
      ...['doc', 'man', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
      ...[RELEASE, folder, ...releases.map((release) => `deb ${from} ${release} main`)],
    ],
    signal,
  );
}

/** Makes `path` with `make` in a folder beside it first, so that nothing half-made is ever found there. */
async function once(path: string, make: (draft: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  const draft = await mkdtemp(`${path}-`);
  try {
    // mmdebstrap's users below root have to pass.
    await chmod(draft, 0o755);
    await make(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Calls `work` with the file system of a disk, mounted. */
async function mounted(disk: string, signal: AbortSignal, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(`${disk}-mounted-`);
  await must('mount', ['-o', 'loop', disk, folder], signal);
  try {
    await work(folder);
  } finally {
    await must('umount', [folder], new AbortController().signal);
    await rm(folder, { recursive: true });
  }
}

async function write(root: string, path: string, text: string): Promise<void> {
  await writeFile(join(root, path), text);
}

/** Turns a fresh Debian into a computer that boots soon, loads KVM and lets root in by a key. */
async function configure(root: string, signal: AbortSignal): Promise<void> {
  const inside = (...words: readonly string[]) => must('chroot', [root, ...words], signal);
  await write(root, 'etc/hostname', 'kvm\n');
  await write(root, 'etc/hosts', '127.0.0.1 localhost kvm\n::1 localhost\n');
  await write(root, 'etc/fstab', '/dev/vda / ext4 defaults,noatime 0 1\n');
  await write(root, 'etc/systemd/network/80-dhcp.network', '[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n');
  await write(root, 'etc/modules-load.d/kvm.conf', 'kvm_amd\n');
  // A small archive: unpacking is slow under emulation.
  await write(root, 'etc/initramfs-tools/conf.d/kvm', 'MODULES=list\nCOMPRESS=lz4\n');
  await write(root, 'etc/initramfs-tools/modules', 'virtio_pci\nvirtio_blk\nvirtio_net\next4\n');
  for (const unit of ['systemd-networkd', 'ssh']) await inside('systemctl', 'enable', '-q', unit);
  for (const unit of UNWANTED_UNITS) await inside('systemctl', 'mask', '-q', unit);
  await inside('update-initramfs', '-u');
  await inside('apt-get', 'clean');
}

/** Puts the packed packages and this Node in, and builds the tiny image there: under emulation it takes ten minutes. */
async function installProject(root: string, signal: AbortSignal): Promise<void> {
  const project = await mkdtemp(join(root, 'opt/packed-'));
  await packedProject(project, false, signal);
  await rename(project, join(root, 'opt/warmvm'));
  await copyFile(process.execPath, join(root, 'usr/local/bin/node'));
  for (const path of ['etc/resolv.conf', 'etc/hosts']) await copyFile(`/${path}`, join(root, path));
  await must('mount', ['--bind', '/proc', join(root, 'proc')], signal);
  try {
    const build = "import('@warmvm/guest-image').then(({ buildTinyImage }) => buildTinyImage())";
    const words = ['-C', '/opt/warmvm', 'HOME=/root', '/usr/local/bin/node', '--input-type=module', '-e', build];
    await must('chroot', [root, 'env', ...words], signal);
  } finally {
    await must('umount', [join(root, 'proc')], new AbortController().signal);
  }
}

/**
 * Makes what is missing: the Debians once for each cache folder, the packed packages each time. Needs root, loop devices, mmdebstrap and e2fsprogs.
 * @throws Error with the end of what a program said
 */
export async function kvmDisk(say: (text: string) => void, signal: AbortSignal): Promise<KvmDisk> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'warmvm-kvm');
  await mkdir(cache, { recursive: true, mode: 0o755 });
  const [outside, base] = [join(cache, 'outside'), join(cache, 'base')];
  say('Debian with the QEMU that emulates the computer (half a minute the first time)');
  await once(outside, (draft) => debian(draft, OUTSIDE_PACKAGES, [RELEASE, `${RELEASE}-backports`], signal));
  say('Debian of the computer itself (a few minutes the first time)');
  await once(base, async (draft) => {
    const disk = join(draft, 'disk.img');
    await must('truncate', ['-s', String(DISK_BYTES), disk], signal);
    await must('mke2fs', ['-q', '-t', 'ext4', '-E', 'lazy_itable_init=1,lazy_journal_init=1', disk], signal);
    await mounted(disk, signal, async (root) => {
      await debian(root, INSIDE_PACKAGES, [RELEASE], signal);
      await configure(root, signal);
      for (const file of ['vmlinuz', 'initrd.img'])
        await cp(join(root, file), join(draft, file), { dereference: true });
    });
  });
  say('packages of this checkout');
  const srv = join(outside, 'srv');
  const [disk, key] = [join(srv, 'disk.img'), join(cache, 'key')];
  for (const file of ['disk.img', 'vmlinuz', 'initrd.img']) {
    await must('cp', ['--sparse=always', '--reflink=auto', join(base, file), join(srv, file)], signal);
  }
  if (!existsSync(key)) await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key], signal);
  await mounted(disk, signal, async (root) => {
    await mkdir(join(root, 'root/.ssh'), { recursive: true, mode: 0o700 });
    await appendFile(join(root, 'root/.ssh/authorized_keys'), await readFile(`${key}.pub`, 'utf8'), { mode: 0o600 });
    await installProject(root, signal);
  });
  return { outside, disk: 'disk.img', key };
}
