import { describe, expect, test } from 'vitest';
import { chooseAcceleration, localKvmFacts } from './acceleration.ts';

const good = { deviceOpens: true, cpuHasVirtualisation: true };

describe('chooseAcceleration', () => {
  test.each([
    ['kvm', { listed: false }, 'kvm', 'asked for'],
    ['tcg', { listed: true, local: good }, 'tcg', 'asked for'],
    ['auto', { listed: false, local: good }, 'tcg', 'offers no KVM'],
    ['auto', { listed: true }, 'kvm', 'libvirt offers KVM'],
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
