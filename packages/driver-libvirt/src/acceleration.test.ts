import { describe, expect, test } from 'vitest';
import { chooseAcceleration, hasVirtualisation, hostCpuXml, localKvmFacts } from './acceleration.ts';

const good = { deviceOpens: true, cpuHasVirtualisation: true };

describe('chooseAcceleration', () => {
  test.each([
    ['kvm', { listed: false }, 'kvm', 'asked for'],
    ['tcg', { listed: true, local: good }, 'tcg', 'asked for'],
    ['auto', { listed: false, local: good }, 'tcg', 'offers no KVM'],
    ['auto', { listed: true }, 'kvm', 'libvirt offers KVM'],
    ['auto', { listed: true, farCpuHasVirtualisation: true }, 'kvm', 'its CPU has'],
    ['auto', { listed: true, farCpuHasVirtualisation: false }, 'tcg', 'neither vmx nor svm'],
    ['auto', { listed: true, local: { ...good, deviceOpens: false } }, 'tcg', 'does not open'],
    ['auto', { listed: true, local: { ...good, cpuHasVirtualisation: false } }, 'tcg', 'neither vmx nor svm'],
    ['auto', { listed: true, local: good }, 'kvm', 'virtualisation extension'],
  ] as const)('of %s with %o makes %s', (wanted, facts, acceleration, reason) => {
    const chosen = chooseAcceleration(wanted, facts);
    expect(chosen.acceleration).toBe(acceleration);
    expect(chosen.reason).toContain(reason);
  });
});

describe('localKvmFacts', () => {
  test('lets the device alone decide where CPUs show no flag for it', async () => {
    const { deviceOpens, cpuHasVirtualisation } = await localKvmFacts('arm64');
    expect(cpuHasVirtualisation).toBe(deviceOpens);
  });

  test('looks at this computer', async () => {
    const facts = await localKvmFacts('x64');
    expect(Object.values(facts).map((value) => typeof value)).toEqual(['boolean', 'boolean']);
  });
});

describe('the CPU of a far host', () => {
  const capabilities = (cpu: string): string => `<capabilities><host>${cpu}</host><guest><cpu/></guest></capabilities>`;
  const cpu = "<cpu><arch>x86_64</arch><model>EPYC</model><feature name='ht'/></cpu>";

  test.each([
    [capabilities(cpu), cpu],
    [capabilities('<cpu><arch>x86_64</arch></cpu>'), undefined],
    [capabilities('<cpu><arch>aarch64</arch><model>x</model></cpu>'), undefined],
    [capabilities(''), undefined],
    ['', undefined],
  ])('of %s is %s', (xml, expected) => {
    expect(hostCpuXml(xml)).toBe(expected);
  });

  test.each([
    ["<cpu><feature policy='require' name='svm'/></cpu>", true],
    ["<cpu><feature name='vmx'/></cpu>", true],
    ["<cpu><feature name='vmx-ept'/><feature name='avx'/></cpu>", false],
  ])('%s has what KVM needs: %s', (xml, expected) => {
    expect(hasVirtualisation(xml)).toBe(expected);
  });
});
