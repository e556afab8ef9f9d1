import { expect, test } from 'vitest';
import { libvirtContainment } from './containment.ts';
import { XmlElement } from './xml.ts';

const dac = (label: string) =>
  `<secmodel><model>dac</model><doi>0</doi><baselabel type='kvm'>${label}</baselabel></secmodel>`;
const containment = (models: string) =>
  libvirtContainment(XmlElement.parse(`<capabilities><host>${models}</host></capabilities>`, 'the capabilities'));
const model = (name: string) => `<secmodel>\n<model>${name}</model>\n<doi>0</doi>\n</secmodel>`;

test.each([
  ['apparmor', true],
  ['selinux', true],
  ['none', false],
])('a daemon with %s says whether it confines machines', (name, active) => {
  const [control, user] = containment(`${model(name)}${dac('+64055:+106')}`);
  expect(control).toMatchObject({ name: 'mandatory access control', active });
  expect(control?.remedy === undefined).toBe(active);
  expect(user).toEqual({ name: 'user', active: true, detail: 'QEMU runs as the user of id 64055' });
});

test('a daemon that runs QEMU as root is told of, with what to do', () => {
  expect(containment(model('selinux') + dac('+0:+0'))[1]).toMatchObject({
    active: false,
    remedy: expect.stringContaining('qemu.conf'),
  });
});

test('a daemon that says nothing is said nothing of', () => {
  expect(containment('')).toEqual([]);
  expect(containment(model('none'))).toHaveLength(1);
});
