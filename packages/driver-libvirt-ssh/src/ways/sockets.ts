import type { DaemonMode } from '@warmvm/libvirt';

const FOLDER = '/var/run/libvirt';

/** Where a far daemon of the system listens, in the order in which libvirt itself would look. */
export function systemSockets(driver: string, mode: DaemonMode): readonly string[] {
  const own = driver === 'qemu' ? [`${FOLDER}/virtqemud-sock`] : [];
  const legacy = [`${FOLDER}/libvirt-sock`];
  if (mode === 'legacy') return legacy;
  return mode === 'direct' ? own : [...own, ...legacy];
}
