import type { Safeguard } from '@warmvm/core/driver';

/** Root, as libvirt writes it in a label. */
const ROOT = '0';

/**
 * What the daemon says of how it confines machines: nothing where it says nothing. The limits of cgroups are the host's configuration,
 * which it does not tell.
 * @param capabilities its XML
 */
export function libvirtContainment(capabilities: string): readonly Safeguard[] {
  const models = [...capabilities.matchAll(/<secmodel>([\s\S]*?)<\/secmodel>/g)].map(([, body = '']) => body);
  if (models.length === 0) return [];
  const names = models.flatMap((body) => /<model>(\w{1,40})<\/model>/.exec(body)?.[1] ?? []);
  const owner = models.map((body) => /<baselabel[^>]*>\+?(\d+):\+?(\d+)<\/baselabel>/.exec(body)).find(Boolean);
  return [accessControl(names), ...(owner?.[1] === undefined ? [] : [user(owner[1])])];
}

function accessControl(names: readonly string[]): Safeguard {
  const name = 'mandatory access control';
  const model = names.find((each) => each === 'apparmor' || each === 'selinux');
  if (model !== undefined) return { name, active: true, detail: `libvirt confines each machine with ${model}` };
  return {
    name,
    active: false,
    detail: 'libvirt confines machines with neither AppArmor nor SELinux',
    remedy: 'enable one of them on the host, and see security_driver in its qemu.conf',
  };
}

function user(uid: string): Safeguard {
  const name = 'user';
  if (uid !== ROOT) return { name, active: true, detail: `QEMU runs as the user of id ${uid}` };
  return { name, active: false, detail: 'QEMU runs as root', remedy: "name another user in the host's qemu.conf" };
}
