import type { Safeguard } from '@warmvm/core/driver';
import type { XmlElement } from './xml.ts';

/** Root, as libvirt writes it in a label. */
const ROOT = '0';

/**
 * What the daemon says of how it confines machines: nothing where it says nothing. The limits of cgroups are the host's configuration,
 * which it does not tell.
 */
export function libvirtContainment(capabilities: XmlElement): readonly Safeguard[] {
  const models = capabilities.at('capabilities', 'host')?.children('secmodel') ?? [];
  if (models.length === 0) return [];
  const names = models.flatMap((model) => model.at('model')?.text ?? []);
  const owner = models.flatMap((model) => model.children('baselabel')).flatMap(({ text }) => userOf(text) ?? [])[0];
  return [accessControl(names), ...(owner === undefined ? [] : [user(owner)])];
}

/** User of a label such as `+64055:+106`. */
function userOf(label: string): string | undefined {
  const [uid = '', gid = '', ...more] = label.split(':').map((id) => (id.startsWith('+') ? id.slice(1) : id));
  return more.length === 0 && isNumber(uid) && isNumber(gid) ? uid : undefined;
}

function isNumber(text: string): boolean {
  return text !== '' && text.length < 11 && Number.isSafeInteger(Number(text));
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
