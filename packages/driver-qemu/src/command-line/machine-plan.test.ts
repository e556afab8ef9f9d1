import { expect, test } from 'vitest';
import { defaultCpuModel, defaultMachineType, qemuProgram } from './machine-plan.ts';

test('each architecture has a machine and a program', () => {
  expect([defaultMachineType('x86_64'), qemuProgram('x86_64')]).toEqual(['pc', 'qemu-system-x86_64']);
  expect([defaultMachineType('aarch64'), qemuProgram('aarch64')]).toEqual(['virt', 'qemu-system-aarch64']);
});

test('a guest sees the processor of the host only where that runs its code', () => {
  expect([defaultCpuModel('kvm'), defaultCpuModel('hvf'), defaultCpuModel('tcg')]).toEqual(['host', 'host', 'max']);
});
