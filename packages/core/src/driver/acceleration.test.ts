import { describe, expect, test } from 'vitest';
import { chooseAcceleration, localAcceleration } from './acceleration.ts';

const hypervisor = 'libvirt';
const foreign = { guest: 'aarch64', host: 'x86_64' };
const local = { deviceOpens: true, cpuHasVirtualisation: true };

describe('chooseAcceleration', () => {
  test.each([
    ['kvm', { offered: [] }, 'kvm', 'asked for'],
    ['tcg', { offered: ['kvm'], local }, 'tcg', 'asked for'],
    ['auto', { offered: [], local }, 'tcg', 'libvirt offers no KVM'],
    ['auto', { offered: ['kvm'] }, 'kvm', 'libvirt offers KVM'],
    ['auto', { offered: ['kvm'], farCpuHasVirtualisation: true }, 'kvm', 'its CPU has'],
    ['auto', { offered: ['kvm'], farCpuHasVirtualisation: false }, 'tcg', 'neither vmx nor svm'],
    ['auto', { offered: ['kvm'], local: { ...local, deviceOpens: false } }, 'tcg', 'does not open'],
    ['auto', { offered: ['kvm'], local: { ...local, isClosedToGuests: true } }, 'tcg', 'chgrp kvm /dev/kvm'],
    ['tcg', { offered: ['kvm'], local: { ...local, isClosedToGuests: true } }, 'tcg', 'asked for'],
    ['auto', { offered: ['kvm'], local: { ...local, cpuHasVirtualisation: false } }, 'tcg', 'neither vmx nor svm'],
    ['auto', { offered: ['kvm', 'tcg'], local }, 'kvm', 'virtualisation extension'],
    ['auto', { offered: ['kvm'], local, foreign }, 'tcg', 'the host is x86_64, and guests for aarch64 are emulated'],
    ['tcg', { offered: ['kvm'], local, foreign }, 'tcg', 'guests for aarch64 are emulated'],
    ['auto', { offered: ['hvf', 'tcg'], local: { ...local, deviceOpens: false } }, 'hvf', 'libvirt offers HVF'],
  ] as const)('of %s with %o makes %s', (wanted, facts, acceleration, reason) => {
    const chosen = chooseAcceleration(wanted, { hypervisor, ...facts });
    expect(chosen.acceleration).toBe(acceleration);
    expect(chosen.reason).toContain(reason);
  });

  test('refuses hardware for guests of another processor', () => {
    expect(() => chooseAcceleration('kvm', { hypervisor, offered: ['kvm'], local, foreign })).toThrow(
      expect.objectContaining({ code: 'WARMVM_NOT_SUPPORTED', message: expect.stringContaining('kvm') }),
    );
  });
});

test('a device that QEMU may not open is no fault of the image: KVM is refused with the command that opens it', () => {
  const facts = { hypervisor, offered: ['kvm'], local: { ...local, isClosedToGuests: true } } as const;
  expect(() => chooseAcceleration('kvm', facts)).toThrow(
    expect.objectContaining({ code: 'WARMVM_NOT_SUPPORTED', message: expect.stringContaining('chmod 660 /dev/kvm') }),
  );
});

describe('localAcceleration', () => {
  test('lets the device alone decide where CPUs show no flag for it', async () => {
    const { deviceOpens, cpuHasVirtualisation } = await localAcceleration('arm64');
    expect(cpuHasVirtualisation).toBe(deviceOpens);
  });

  test('looks at this computer', async () => {
    const facts = await localAcceleration('x64');
    expect(Object.values(facts).map((value) => typeof value)).toEqual(['boolean', 'boolean']);
  });
});
