import type { SubjectModule } from '@warmvm/driver-testkit';

/** Subjects that come with this program, by the name of their driver. */
export const SUBJECTS: Readonly<Record<string, () => Promise<SubjectModule>>> = {
  fake: () => import('./fake.ts'),
  libvirt: () => import('./libvirt.ts'),
  'libvirt-ssh': () => import('./libvirt-ssh.ts'),
  qemu: () => import('./qemu.ts'),
};
