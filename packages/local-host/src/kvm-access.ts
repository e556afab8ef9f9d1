import { chmod, chown, readFile, stat } from 'node:fs/promises';

/** The device, opened to QEMU's group. Dispose gives it its former owner and mode back. */
export interface KvmAccess extends AsyncDisposable {
  /** Whether anything had to be changed. */
  readonly changed: boolean;
}

export interface KvmAccessOptions {
  /** @default '/dev/kvm' */
  readonly device?: string;
  /** @default '/etc/group' */
  readonly groupFile?: string;
  /** Told what is about to happen, in sentences for people. @default none */
  readonly onProgress?: (text: string) => void;
}

/** Reading and writing for the group, as udev's own rule for the device has it. */
const GROUP_MODE = 0o660;
const GROUP_READ_WRITE = 0o060;

const UNCHANGED: KvmAccess = { changed: false, [Symbol.asyncDispose]: async () => {} };

/**
 * Does for `/dev/kvm` what udev does, where no udev runs: group `kvm` may read and write. QEMU runs in that group. Without it,
 * libvirtd sees a KVM that QEMU cannot open, holds what it knows of the emulators for stale, and probes all of them anew at every
 * definition of a domain: 7.6 seconds instead of 2 milliseconds, measured with libvirt 9.0.
 */
export async function ensureKvmAccess(options: KvmAccessOptions = {}): Promise<KvmAccess> {
  const { device = '/dev/kvm', groupFile = '/etc/group' } = options;
  const before = await stat(device).catch(() => undefined);
  const group = groupId(await readFile(groupFile, 'utf8').catch(() => ''), 'kvm');
  if (before === undefined || group === undefined) return UNCHANGED;
  if (before.gid === group && groupMayReadAndWrite(before.mode)) return UNCHANGED;
  options.onProgress?.(`opening ${device} to group kvm, as udev would (chgrp kvm, chmod 660)`);
  await chown(device, before.uid, group);
  await chmod(device, GROUP_MODE);
  return {
    changed: true,
    async [Symbol.asyncDispose]() {
      await chmod(device, before.mode & 0o7777);
      await chown(device, before.uid, before.gid);
    },
  };
}

/** Whether the permissions of a file let its group read and write it. */
export function groupMayReadAndWrite(mode: number): boolean {
  return (mode & GROUP_READ_WRITE) === GROUP_READ_WRITE;
}

/** Number of a group in the text of `/etc/group`. */
export function groupId(groups: string, name: string): number | undefined {
  for (const line of groups.split('\n')) {
    const [groupName, , id] = line.split(':');
    if (groupName === name && id !== undefined && /^\d+$/.test(id)) return Number(id);
  }
  return undefined;
}
