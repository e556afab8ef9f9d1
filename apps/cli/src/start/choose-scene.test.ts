import type { HostFacts } from '@warmvm/local-host';
import { describe, expect, test } from 'vitest';
import { chooseScene } from './choose-scene.ts';

const { signal } = new AbortController();
const quiet = (): void => {};
const CAPABLE: HostFacts = {
  platform: 'linux',
  isRoot: true,
  packages: async () => ({ kind: 'complete' }),
  answers: async () => false,
};
const incapable: Partial<HostFacts> = {
  packages: async () => ({ kind: 'impossible', missing: ['tini'], reason: 'tini is missing' }),
};
const choose = (wanted: 'auto' | 'qemu' | 'libvirt' | 'fake', facts: Partial<HostFacts> = {}) =>
  chooseScene({ driver: wanted }, quiet, signal, { ...CAPABLE, ...facts });

describe('chooseScene', () => {
  test.each([
    ['auto', 'qemu'],
    ['qemu', 'qemu'],
    ['libvirt', 'libvirt'],
  ] as const)('takes real machines for %s where they are possible: %s', async (wanted, kind) => {
    const looked: string[] = [];
    const packages = async (of: 'qemu' | 'libvirt') => {
      looked.push(of);
      return { kind: 'complete' } as const;
    };
    expect(await choose(wanted, { packages })).toMatchObject({ kind });
    expect(looked).toEqual([kind]);
  });

  test('takes the fake when asked, and looks at nothing', async () => {
    const packages = (): Promise<never> => Promise.reject(new Error('looked'));
    expect(await choose('fake', { packages })).toEqual({ kind: 'fake', why: 'asked for with --driver fake' });
  });

  test('takes the fake where packages cannot be had, and says why', async () => {
    expect(await choose('auto', incapable)).toEqual({ kind: 'fake', why: 'tini is missing' });
  });

  test('takes the fake on another platform, and installs nothing there', async () => {
    const packages = (): Promise<never> => Promise.reject(new Error('looked'));
    const choice = await choose('auto', { platform: 'darwin', packages });
    expect(choice).toMatchObject({ kind: 'fake', why: expect.stringContaining('this is darwin') });
  });

  test.each([
    ['libvirt', 'libvirt'],
    ['qemu', 'QEMU'],
  ] as const)('refuses rather than take the fake when %s was asked for', async (wanted, name) => {
    await expect(choose(wanted, incapable)).rejects.toMatchObject({
      code: 'WARMVM_HOST_UNREACHABLE',
      message: `${name} cannot be used here: tini is missing`,
    });
  });

  test('takes QEMU without root, and libvirt only where a daemon answers', async () => {
    expect(await choose('auto', { isRoot: false })).toMatchObject({ kind: 'qemu' });
    await expect(choose('libvirt', { isRoot: false })).rejects.toThrow('run as root');
    const answers = async (path: string) => path.endsWith('libvirt-sock');
    expect(await choose('libvirt', { isRoot: false, answers })).toMatchObject({ kind: 'libvirt' });
  });

  test('goes to another host where that is asked for with its URI, and looks at nothing here', async () => {
    const signal = new AbortController().signal;
    const facts = { ...CAPABLE, platform: 'sunos' };
    const uri = 'qemu+ssh://host/system';
    expect(await chooseScene({ driver: 'libvirt-ssh', uri }, quiet, signal, facts)).toMatchObject({
      kind: 'libvirt-ssh',
      uri,
    });
    await expect(chooseScene({ driver: 'libvirt-ssh' }, quiet, signal, facts)).rejects.toThrow('needs --uri');
    await expect(chooseScene({ driver: 'fake', uri }, quiet, signal, facts)).rejects.toThrow('leave it out');
  });
});
