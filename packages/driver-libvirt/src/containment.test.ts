import { expect, test } from 'vitest';
import { libvirtContainment } from './containment.ts';

const dac = (label: string) =>
  `<secmodel><model>dac</model><doi>0</doi><baselabel type='kvm'>${label}</baselabel></secmodel>`;
const model = (name: string) => `<secmodel>\n<model>${name}</model>\n<doi>0</doi>\n</secmodel>`;

test.each([
  ['apparmor', true],
  ['selinux', true],
  ['none', false],
])('a daemon with %s says whether it confines machines', (name, active) => {
  const [control, user] = libvirtContainment(`<host>${model(name)}${dac('+64055:+106')}</host>`);
  expect(control).toMatchObject({ name: 'mandatory access control', active });
  expect(control?.remedy === undefined).toBe(active);
  expect(user).toEqual({ name: 'user', active: true, detail: 'QEMU runs as the user of id 64055' });
});

test('a daemon that runs QEMU as root is told of, with what to do', () => {
  expect(libvirtContainment(model('selinux') + dac('+0:+0'))[1]).toMatchObject({
    active: false,
    remedy: expect.stringContaining('qemu.conf'),
  });
});

test('a daemon that says nothing is said nothing of', () => {
  expect(libvirtContainment('<capabilities/>')).toEqual([]);
  expect(libvirtContainment(model('none'))).toHaveLength(1);
});
