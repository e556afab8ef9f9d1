import { cutScenes } from './support/cut-scenes.ts';

// Each kind of cut and each moment, not each with each: that is driver-libvirt-ssh-cuts.manual.ts.
cutScenes('a link that is cut', {
  prepare: [
    ['upload', 'connections'],
    ['agent', 'packets'],
    ['snapshot', 'libvirtd'],
  ],
  idle: ['sshd', 'packets'],
  lease: ['connections', 'libvirtd'],
  reset: [
    ['sshd', 0],
    ['packets', 100],
  ],
  fork: [
    ['connections', 100],
    ['libvirtd', 300],
  ],
});
