import { describe, expect, test } from 'vitest';
import { defaultDrivers, runBenchAgainstCommand, runBenchCommand, runBenchCompareCommand } from './index.ts';

const output = { write: () => {}, writeError: () => {} };

describe('the request of warmvm bench', () => {
  test('is for the drivers that were named', async () => {
    const asked: unknown[] = [];
    const run = async (request: unknown): Promise<number> => {
      asked.push(request);
      return 1;
    };
    expect(await runBenchCommand(['reset'], { driver: ['qemu'], gate: true, compare: 'a.json' }, output, run)).toBe(1);
    expect(await runBenchCompareCommand('main', [], { driver: ['fake'], blocks: 2 }, output, run)).toBe(1);
    expect(await runBenchAgainstCommand('qemu', ['reset'], { driver: './x.js', blocks: 3 }, output, run)).toBe(1);
    expect(asked).toMatchObject([
      { kind: 'run', suites: ['reset'], drivers: ['qemu'], gate: true, compare: 'a.json', inProcess: false },
      { kind: 'compare-ref', ref: 'main', suites: [], drivers: ['fake'], blocks: 2, gate: false },
      { kind: 'compare-driver', against: 'qemu', suites: ['reset'], drivers: ['./x.js'], blocks: 3 },
    ]);
  });

  test.each([
    [true, true, ['fake', 'qemu']],
    [false, true, ['fake', 'libvirt']],
    [false, false, ['fake']],
  ])('where QEMU is there (%j) and libvirt (%j) is for %j unless drivers are named', async (qemu, libvirt, drivers) => {
    expect(await defaultDrivers({ hasQemu: async () => qemu, hasLibvirt: async () => libvirt })).toEqual(drivers);
  });

  test('is told with its remedy when it fails', async () => {
    let said = '';
    const run = (): Promise<number> => Promise.reject(new RangeError('suite rpc cannot be run'));
    const writeError = (text: string): void => {
      said += text;
    };
    expect(await runBenchCommand(['rpc'], { driver: ['fake'] }, { write: () => {}, writeError }, run)).toBe(1);
    expect(said).toBe('error: suite rpc cannot be run\n');
  });
});
