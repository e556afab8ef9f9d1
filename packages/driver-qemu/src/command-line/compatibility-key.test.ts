import { describe, expect, test } from 'vitest';
import { machinePlan } from '../fixtures/machine-plan.ts';
import { type CompatibilityFacts, compatibilityKey } from './compatibility-key.ts';
import type { MachinePlan } from './machine-plan.ts';

const facts: CompatibilityFacts = { qemuVersion: '7.2.22 (Debian)', imageDigest: 'sha256:00', hostProcessor: '' };
const key = (changes: Partial<MachinePlan> = {}, other: Partial<CompatibilityFacts> = {}): string =>
  compatibilityKey(machinePlan(changes), { ...facts, ...other });
const mac = '02:00:00:00:00:01';

describe('compatibilityKey', () => {
  test('is a digest', () => {
    expect(key()).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each<[string, Partial<MachinePlan>]>([
    ['name', { name: 'other' }],
    ['memory file', { memory: { bytes: 2 ** 28, file: { path: '/other', share: false } } }],
    ['place of the disk', { disks: [{ path: '/other', format: 'qcow2' }] }],
    ['sockets', { qmp: { kind: 'inherited', descriptor: 4 }, agent: { kind: 'connect', path: '/a' } }],
    ['console', { console: { kind: 'ring', bytes: 4096 } }],
    ['generation', { generationId: '99999999-2222-3333-4444-555555555555' }],
    [
      'place of the kernel',
      { boot: { kind: 'kernel', kernelPath: '/elsewhere', initrdPath: '/too', commandLine: 'quiet' } },
    ],
    ['waiting for a state', { incoming: true }],
  ])('does not depend on the %s', (_, changes) => {
    expect(key(changes)).toBe(key());
  });

  test.each<[string, Partial<MachinePlan>]>([
    ['machine type', { machineType: 'q35' }],
    ['CPU model', { cpuModel: 'qemu64' }],
    ['number of CPUs', { virtualCpus: 1 }],
    ['size of the memory', { memory: { bytes: 2 ** 29 } }],
    ['acceleration', { acceleration: 'kvm' }],
    ['kernel command line', { boot: { kind: 'kernel', kernelPath: '/k', initrdPath: '/i', commandLine: 'debug' } }],
    ['number of disks', { disks: [] }],
    ['network card', { network: { kind: 'unplugged', mac } }],
  ])('depends on the %s', (_, changes) => {
    expect(key(changes)).not.toBe(key());
  });

  test('depends on whether there is a generation device', () => {
    const { generationId: _, ...without } = machinePlan();
    expect(compatibilityKey(without, facts)).not.toBe(key());
  });

  test('depends on QEMU, the image and the processor', () => {
    const keys = [
      key(),
      key({}, { qemuVersion: '8.2.0' }),
      key({}, { imageDigest: 'sha256:01' }),
      key({}, { hostProcessor: 'x' }),
    ];
    expect(new Set(keys).size).toBe(4);
  });

  test('is the same for cards that are alike, and tells networks apart that have a state of their own or let the guest out', () => {
    const other = '02:00:00:00:00:09';
    const user = (restrict: boolean, card: string): string => key({ network: { kind: 'user', restrict, mac: card } });
    const tap = key({ network: { kind: 'tap', name: 'tap9', mac: other } });
    expect(user(true, other)).toBe(user(true, mac));
    expect(key({ network: { kind: 'unplugged', mac } })).toBe(tap);
    expect(new Set([key(), user(true, mac), user(false, mac), tap]).size).toBe(4);
  });
});
