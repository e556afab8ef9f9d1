import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { GoldenImage, KernelBoot } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import type { ArchitectureName } from '../architecture/guest-architecture.ts';
import { buildElf } from '../fixtures/build-elf.ts';
import { createFakeSource, type FakePackage, type FakeSource, tinyWorld } from '../fixtures/fake-packages.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { imageDigest } from '../golden/image-digest.ts';
import { buildTinyImage } from './build-tiny-image.ts';
import type { TinyImageOptions } from './tiny-options.ts';

const bootOf = (image: GoldenImage): KernelBoot => image.boot as KernelBoot;
const build = (cacheDir: string, packageSource: FakeSource, options: TinyImageOptions = {}): Promise<GoldenImage> =>
  buildTinyImage({ cacheDir, packageSource, architecture: 'x86_64', ...options });

describe('buildTinyImage', () => {
  test('describes a kernel boot with a digest over all of it and the renewal program', async () => {
    await using folder = await temporaryFolder();
    const image = await build(folder.path, createFakeSource(), { memoryBytes: 128 * 2 ** 20, virtualCpus: 2 });
    expect(image).toMatchObject({
      name: 'tiny',
      architecture: 'x86_64',
      memoryBytes: 128 * 2 ** 20,
      virtualCpus: 2,
      network: 'none',
      renewal: { command: '/usr/lib/warmvm/renew' },
      boot: { kind: 'kernel', diskBytes: 64 * 2 ** 20 },
    });
    expect(image.digest).toBe(imageDigest(image));
    expect(await readFile(bootOf(image).kernel.path, 'utf8')).toBe('the kernel');
    expect(Object.isFrozen(image) && Object.isFrozen(image.boot)).toBe(true);
  });

  test.each<[ArchitectureName, string, string, string]>([
    ['x86_64', 'lib64/ld-linux-x86-64.so.2', 'x86_64-linux-gnu', 'console=ttyS0 '],
    ['aarch64', 'lib/ld-linux-aarch64.so.1', 'aarch64-linux-gnu', 'console=ttyAMA0 '],
  ])(
    'for %s packs the agent, its libraries two levels deep, the loader, and the modules in loading order',
    async (architecture, loader, libraries, console) => {
      await using folder = await temporaryFolder();
      const image = await build(folder.path, createFakeSource(tinyWorld(architecture)), { architecture });
      expect(image.architecture).toBe(architecture);
      expect(bootOf(image).commandLine).toContain(console);
      const initrd = await readFile(bootOf(image).initrd.path, 'latin1');
      for (const path of [
        'bin/qemu-ga',
        `lib/${libraries}/libfirst.so.1`,
        `lib/${libraries}/libsecond-2.so.0`,
        `lib/${libraries}/libm.so.6`,
        loader,
        'lib/modules/virtio_rng.ko',
        'usr/lib/warmvm/reseed',
        'bin/mount',
      ]) {
        expect(initrd).toContain(`${path}\0`);
      }
      expect(initrd).toContain('for module in virtio_ring virtio virtio_pci virtio_console virtio_blk virtio_rng; do');
      // Only where there is a card: what needs no network boots without.
      expect(initrd).toMatch(/0x0001 \] \|\| continue\n {2}for module in net_failover virtio_net; do/);
      expect(initrd).not.toContain('usr/bin/helper');
    },
  );

  test('finds a library in a package that was passed over for its name before', async () => {
    await using folder = await temporaryFolder();
    const world = tinyWorld();
    const library = (name: string, needed: string[]): Record<string, Buffer> => ({
      [`usr/lib/x86_64-linux-gnu/${name}`]: buildElf({ needed, salt: name }),
    });
    Object.assign(world, {
      libfirst1: { ...world.libfirst1, dependencies: [['libsecond-2-0t64'], ['libextras']] },
      'libsecond-2-0t64': { files: library('libsecond-2.so.0', ['libodd.so.9']) },
      libextras: { files: library('libodd.so.9', []) },
    });
    const image = await build(folder.path, createFakeSource(world));
    expect(await readFile(bootOf(image).initrd.path, 'latin1')).toContain('lib/x86_64-linux-gnu/libodd.so.9\0');
  });

  test('gives the same bytes from the same packages in another folder', async () => {
    await using one = await temporaryFolder();
    await using other = await temporaryFolder();
    const first = bootOf(await build(one.path, createFakeSource()));
    const second = bootOf(await build(other.path, createFakeSource()));
    expect(await readFile(first.initrd.path)).toEqual(await readFile(second.initrd.path));
    expect(first.kernel.digest).toBe(second.kernel.digest);
  });

  test('takes the second image from the cache without asking for packages', async () => {
    await using folder = await temporaryFolder();
    const source = createFakeSource();
    const first = await build(folder.path, source);
    const steps: string[] = [];
    const { resolves } = source.asked;
    const second = await build(folder.path, source, { onProgress: ({ step }) => steps.push(step) });
    expect(second).toEqual(first);
    expect(steps).toEqual(['reuse']);
    expect(source.asked.resolves).toBe(resolves);
  });

  test('downloads nothing when the source changed but the packages did not', async () => {
    await using folder = await temporaryFolder();
    const source = createFakeSource();
    const first = await build(folder.path, source);
    source.unpacked.length = 0;
    source.state = 'lists were fetched anew';
    expect(await build(folder.path, source)).toEqual(first);
    expect(source.unpacked).toEqual([]);
  });

  test('builds anew when a package has a new version', async () => {
    await using folder = await temporaryFolder();
    const world = tinyWorld();
    const source = createFakeSource(world);
    const first = await build(folder.path, source);
    world['linux-image-6.1-cloud'] = {
      files: { ...world['linux-image-6.1-cloud']?.files, 'boot/vmlinuz-6.1-cloud': 'a newer kernel' },
      version: '2.0-1',
    };
    source.state = 'newer';
    const second = await build(folder.path, source);
    expect(second.digest).not.toBe(first.digest);
    expect(await readFile(bootOf(second).kernel.path, 'utf8')).toBe('a newer kernel');
  });

  test.each(['kernel', 'initrd', 'manifest.json'])('builds anew when %s in the cache was damaged', async (name) => {
    await using folder = await temporaryFolder();
    const source = createFakeSource();
    const first = await build(folder.path, source);
    await writeFile(join(dirname(bootOf(first).kernel.path), name), 'damaged');
    const second = await build(folder.path, source);
    expect(second).toEqual(first);
    expect(await readFile(bootOf(second).kernel.path, 'utf8')).toBe('the kernel');
  });

  test('joins calls for one cache folder to one build', async () => {
    await using folder = await temporaryFolder();
    const source = createFakeSource();
    const images = await Promise.all([
      build(folder.path, source),
      build(folder.path, source),
      build(folder.path, source),
    ]);
    expect(new Set(images.map(({ digest }) => digest)).size).toBe(1);
    expect(source.unpacked.filter((name) => name === 'busybox-static')).toHaveLength(1);
  });

  test('lets builds of several processes end in one sound image', async () => {
    await using folder = await temporaryFolder();
    const builds = Array.from({ length: 4 }, () => build(folder.path, createFakeSource()));
    const images = await Promise.all(builds);
    expect(new Set(images.map(({ digest }) => digest)).size).toBe(1);
    const left = (await readdir(folder.path)).filter((name) => name !== 'pointers');
    expect(left).toEqual([basename(dirname(bootOf(images[0] as GoldenImage).kernel.path))]);
  });

  test('keeps the cache private', async () => {
    await using folder = await temporaryFolder();
    const cacheDir = join(folder.path, 'deep', 'cache');
    const image = await build(cacheDir, createFakeSource());
    const { path } = bootOf(image).kernel;
    const modes = [cacheDir, dirname(path), path].map(async (each) => (await stat(each)).mode & 0o777);
    expect(await Promise.all(modes)).toEqual([0o700, 0o700, 0o600]);
  });

  test('refuses a cache folder that others can write to', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o777);
    await expect(build(folder.path, createFakeSource())).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      message: expect.stringContaining('chmod 0700'),
    });
  });

  test('refuses a cache folder that cannot be made', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'file'), '');
    await expect(build(join(folder.path, 'file', 'cache'), createFakeSource())).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      message: expect.stringContaining('cannot be made'),
    });
  });

  test('rejects with the reason of the signal and leaves nothing half-built', async () => {
    await using folder = await temporaryFolder();
    const source = createFakeSource();
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    source.gate = async (signal) => {
      controller.abort(reason);
      await Promise.resolve();
      signal?.throwIfAborted();
    };
    await expect(build(folder.path, source, { signal: controller.signal })).rejects.toBe(reason);
    source.gate = () => Promise.resolve();
    await build(folder.path, source);
    expect((await readdir(folder.path)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('removes what builds of dead processes left, but not what may be under way', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, '.build-old'));
    await mkdir(join(folder.path, '.build-new'));
    await utimes(join(folder.path, '.build-old'), 1, 1);
    await build(folder.path, createFakeSource());
    expect((await readdir(folder.path)).filter((name) => name.startsWith('.'))).toEqual(['.build-new']);
  });

  test('keeps images for two architectures apart in one cache folder, also when they are built at the same time', async () => {
    await using folder = await temporaryFolder();
    const worlds = { x86_64: createFakeSource(), aarch64: createFakeSource(tinyWorld('aarch64')) };
    const both = (): Promise<GoldenImage[]> =>
      Promise.all(
        (['x86_64', 'aarch64'] as const).map((architecture) =>
          build(folder.path, worlds[architecture], { architecture }),
        ),
      );
    const first = await both();
    expect(new Set(first.map(({ digest }) => digest)).size).toBe(2);
    expect(await both()).toEqual(first);
  });

  test('joins no build for another architecture', async () => {
    await using folder = await temporaryFolder();
    const source = createFakeSource();
    const [own, other] = await Promise.allSettled([
      build(folder.path, source),
      build(folder.path, source, { architecture: 'aarch64' }),
    ]);
    expect(own.status).toBe('fulfilled');
    expect(other).toMatchObject({ reason: { message: expect.stringContaining('no package linux-image-cloud-arm64') } });
  });
});

describe('packages that are not as expected', () => {
  const shell = (busybox: Buffer): FakePackage => ({ files: { 'bin/busybox': busybox } });
  const broken: [string, (world: ReturnType<typeof tinyWorld>) => void, string, RegExp][] = [
    [
      'an agent that is not to be had',
      (world) => delete world['qemu-guest-agent'],
      'WARMVM_GOLDEN_MISSING',
      /no package qemu-guest-agent.*apt-get update/,
    ],
    [
      'a kernel package without a kernel',
      (world) => delete world['linux-image-6.1-cloud'],
      'WARMVM_GOLDEN_MISSING',
      /no package linux-image-6.1-cloud/,
    ],
    [
      'a kernel package that depends on nothing',
      (world) => Object.assign(world, { 'linux-image-cloud-amd64': { files: {} } }),
      'WARMVM_GOLDEN_INVALID',
      /depends on no kernel/,
    ],
    [
      'a library that is in no package',
      (world) => delete world['libsecond-2-0t64'],
      'WARMVM_GOLDEN_INVALID',
      /has libsecond-2\.so\.0/,
    ],
    [
      'a module that is missing',
      (world) => Object.assign(world['linux-image-6.1-cloud'] as object, { files: { 'boot/vmlinuz-6.1-cloud': 'k' } }),
      'WARMVM_GOLDEN_INVALID',
      /module virtio_pci, needed by the tiny image, is not in/,
    ],
    [
      'a shell for another processor',
      (world) => Object.assign(world, { 'busybox-static': tinyWorld('aarch64')['busybox-static'] }),
      'WARMVM_GOLDEN_INVALID',
      /busybox: not a 64-bit x86-64 ELF file/,
    ],
    [
      'a shell that is not static',
      (world) => Object.assign(world, { 'busybox-static': shell(buildElf({ needed: ['libc.so.6'] })) }),
      'WARMVM_GOLDEN_INVALID',
      /busybox is not static: it needs libc\.so\.6/,
    ],
    [
      'a shell without a program that the image needs',
      (world) => Object.assign(world, { 'busybox-static': shell(buildElf({ salt: '[\0[[\0mount\0sh\0' })) }),
      'WARMVM_GOLDEN_INVALID',
      /busybox has no insmod, ip, mke2fs, poweroff/,
    ],
  ];

  test.each(broken)('%s are told apart by code and name', async (_, breakIt, code, message) => {
    await using folder = await temporaryFolder();
    const world = tinyWorld();
    breakIt(world);
    const attempt = build(folder.path, createFakeSource(world));
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
