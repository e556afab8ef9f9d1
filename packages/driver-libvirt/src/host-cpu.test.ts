import { describe, expect, test } from 'vitest';
import { hasVirtualisation, hostCpuXml } from './host-cpu.ts';
import { XmlElement } from './xml.ts';

describe('the CPU of a far host', () => {
  const capabilities = (cpu: string): string => `<capabilities><host>${cpu}</host><guest><cpu/></guest></capabilities>`;
  const cpu = '<cpu><arch>x86_64</arch><model>EPYC</model><feature name="ht"/></cpu>';

  test.each([
    [capabilities(cpu), cpu],
    [capabilities('<cpu><arch>x86_64</arch></cpu>'), undefined],
    [capabilities('<cpu><arch>aarch64</arch><model>x</model></cpu>'), undefined],
    [capabilities(''), undefined],
    ['', undefined],
  ])('of %s is %s', (xml, expected) => {
    expect(hostCpuXml(XmlElement.parse(xml, 'the capabilities'))).toBe(expected);
  });

  test.each([
    ["<cpu><feature policy='require' name='svm'/></cpu>", true],
    ["<cpu><feature name='vmx'/></cpu>", true],
    ["<cpu><feature name='vmx-ept'/><feature name='avx'/></cpu>", false],
  ])('%s has what KVM needs: %s', (xml, expected) => {
    expect(hasVirtualisation(xml)).toBe(expected);
  });
});
