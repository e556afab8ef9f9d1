import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { currentOwnerProcess, processStartTime } from '@warmvm/core/driver';
import { describeDiskImage, emptyQcow2 } from '@warmvm/guest-image';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requireImageName } from './image-name.ts';
import { ImageStore, type StoredImage } from './image-store.ts';
import { importImage } from './import-image.ts';
import { openImage } from './open-image.ts';
import { storeFolder } from './store-folder.ts';

const MIB = 2 ** 20;
const signal = new AbortController().signal;

let folder: string;
let disk: string;
let said: string[];
let store: ImageStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-images-'));
  disk = join(folder, 'disk.qcow2');
  await writeFile(disk, emptyQcow2({ virtualBytes: 64 * MIB }));
  said = [];
  store = new ImageStore(join(folder, 'store'), { folder: 0o700, file: 0o400 });
});
afterEach(() => rm(folder, { recursive: true }));

const call = () => ({ store, signal, say: (text: string) => void said.push(text) });
const importDisk = (name: string, options: object = {}): Promise<StoredImage> =>
  importImage(disk, { name, renewal: '/sbin/renew', ...options }, call());

/** What is in the store's folder, without the marks of users. */
async function content(): Promise<readonly string[]> {
  return (await readdir(store.folder)).filter((name) => name !== '.uses');
}

describe('an imported disk', () => {
  test('is a copy that is an image by its name, the same as the file itself would be', async () => {
    const { name, record } = await importDisk('debian', { memory: 512 * MIB, cpus: 2, network: 'user' });
    await rm(disk);
    expect(name).toBe('debian');
    const image = await openImage('debian', { folder, store, signal, say: () => {} });
    expect(image).toMatchObject({
      name: 'debian',
      memoryBytes: 512 * MIB,
      virtualCpus: 2,
      network: 'user',
      renewal: { command: '/sbin/renew' },
      boot: { kind: 'disk', format: 'qcow2', diskBytes: 64 * MIB },
    });
    if (image.boot.kind !== 'disk') throw new Error('no disk');
    const { path } = image.boot.disk;
    const { digest } = await describeDiskImage({
      path,
      memoryBytes: 512 * MIB,
      virtualCpus: 2,
      network: 'user',
      renewal: { command: '/sbin/renew' },
    });
    expect([image.digest, record.digest]).toEqual([digest, digest]);
    expect((await stat(path)).mode & 0o777).toBe(0o400);
    expect((await stat(join(store.folder, 'debian'))).mode & 0o777).toBe(0o700);
    expect(said).toContain('checking (100 %)');
  });

  test('keeps the holes of the file', async () => {
    disk = join(folder, 'disk.raw');
    const bytes = Buffer.alloc(32 * MIB);
    bytes[20 * MIB] = 7;
    await writeFile(disk, bytes);
    const { record } = await importDisk('raw');
    if (record.boot.kind !== 'disk') throw new Error('no disk');
    const copy = join(store.folder, 'raw', record.boot.disk.file);
    expect(bytes.equals(await readFile(copy))).toBe(true);
    const { blocks, size } = await stat(copy);
    expect(size).toBe(32 * MIB);
    expect(blocks * 512).toBeLessThanOrEqual(8 * MIB);
  });

  test('may be one of several, listed by name; rm takes one and its room', async () => {
    await importDisk('b');
    await importDisk('a');
    expect((await store.list()).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(await store.remove('a')).toBeGreaterThan(0);
    expect(await content()).toEqual(['b']);
  });
});

test('an imported kernel comes with its initrd and its command line', async () => {
  const [kernel, initrd] = [join(folder, 'vmlinuz'), join(folder, 'initrd')];
  await writeFile(kernel, 'a kernel');
  await writeFile(initrd, 'an initrd');
  await importImage(undefined, { name: 'k', renewal: '/renew', kernel, initrd, commandLine: 'quiet' }, call());
  await rm(kernel);
  const { boot } = await openImage('k', { folder, store, signal, say: () => {} });
  if (boot.kind !== 'kernel') throw new Error('no kernel');
  expect(boot.commandLine).toBe('quiet');
  expect(await readFile(boot.kernel.path, 'utf8')).toBe('a kernel');
  expect(await readFile(boot.initrd.path, 'utf8')).toBe('an initrd');
  const half = importImage(undefined, { name: 'half', renewal: '/renew', kernel: initrd }, call());
  await expect(half).rejects.toThrow(/either the file of a disk image, or --kernel and --initrd/);
});

describe('an import that fails leaves nothing:', () => {
  test.each<[string, object, Buffer | undefined, RegExp]>([
    ['a name that is none', { name: '../up' }, undefined, /no name of an image/],
    ['the name of the tiny image', { name: 'tiny' }, undefined, /always there/],
    ['memory that no machine has', { memory: 1000 }, undefined, /memoryBytes is 1000; expected a multiple/],
    ['a command line for a disk', { commandLine: 'quiet' }, undefined, /--command-line is for --kernel/],
    ['a kernel beside the disk', { kernel: '/k', initrd: '/i' }, undefined, /either the file of a disk image, or/],
    ['a disk over another file', {}, overlay(), /has a backing file; flatten it/],
    ['a VMDK', {}, Buffer.from(`KDMV${' '.repeat(508)}`), /looks like a VMDK image.*qemu-img convert/],
    ['a packed image', {}, Buffer.from(`fd377a585a00${'00'.repeat(506)}`, 'hex'), /looks like an xz archive.*unpack/],
  ])('%s', async (_what, options, bytes, expected) => {
    if (bytes !== undefined) await writeFile(disk, bytes);
    await expect(importDisk('mine', options)).rejects.toThrow(expected);
    expect(await content().catch(() => [])).toEqual([]);
  });

  test('no such file', async () => {
    await expect(importImage(join(folder, 'none'), { name: 'mine', renewal: '/r' }, call())).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
    });
  });

  test('a file that is cut off while it is copied', async () => {
    const reason = new Error('interrupted');
    const stop = new AbortController();
    await writeFile(disk, Buffer.alloc(16 * MIB, 1));
    const say = (): void => stop.abort(reason);
    await expect(importImage(disk, { name: 'mine', renewal: '/r' }, { store, signal: stop.signal, say })).rejects.toBe(
      reason,
    );
    expect(await content()).toEqual([]);
  });
});

test('a name is given once, also by two processes at the same moment', async () => {
  const both = await Promise.allSettled([importDisk('mine'), importDisk('mine')]);
  const refused = both.filter((one) => one.status === 'rejected');
  expect(refused).toHaveLength(1);
  expect(String(refused[0]?.reason)).toContain('there is an image "mine" already');
  await expect(importDisk('mine')).rejects.toThrow(/warmvm image rm mine/);
  expect(await content()).toEqual(['mine']);
});

describe('a name', () => {
  test('that is not there is told with those that are', async () => {
    await importDisk('debian');
    const opening = openImage('debain', { folder, store, signal, say: () => {} });
    await expect(opening).rejects.toThrow(
      /no image "debain"; there are: tiny, debian\. A file is named by its path, such as \.\/debain/,
    );
    await expect(store.remove('debain')).rejects.toThrow(/there are: tiny, debian/);
  });

  test.each(['a', 'debian-12.5_x', '9front'])('may be %s', (name) => requireImageName(name));
  test.each(['', '.', '..', '.a', '-a', 'a b', 'a/b', 'x'.repeat(65)])('may not be %j', (name) => {
    expect(() => requireImageName(name)).toThrow(/no name of an image/);
  });

  test('with a slash is the path of a disk', async () => {
    const image = await openImage('./disk.qcow2', { folder, store, signal, say: () => {} });
    expect(image).toMatchObject({ boot: { disk: { path: disk } }, renewal: { command: '/usr/lib/warmvm/renew' } });
  });
});

describe('files that are not what they were', () => {
  const stored = async (): Promise<string> => {
    const { record } = await importDisk('mine');
    return join(store.folder, 'mine', record.boot.kind === 'disk' ? record.boot.disk.file : '');
  };

  test('are refused', async () => {
    const path = await stored();
    await chmod(path, 0o600);
    await writeFile(path, emptyQcow2({ virtualBytes: 32 * MIB }));
    await expect(store.use('mine', signal)).rejects.toThrow(/image mine was changed since it was imported/);
  });

  test('but only look so, as after a restored backup, are taken', async () => {
    const path = await stored();
    await utimes(path, 1, 1);
    expect((await store.use('mine', signal)).name).toBe('mine');
  });

  test('are no image with a record that nobody can read', async () => {
    await stored();
    await writeFile(join(store.folder, 'mine', 'image.json'), '{"format": 2}');
    expect(await store.list()).toEqual([]);
    await expect(store.use('mine', signal)).rejects.toThrow(/no image "mine"/);
    await store.remove('mine');
    expect(await content()).toEqual([]);
  });
});

describe('an image in use', () => {
  const uses = (): string => join(store.folder, '.uses', 'mine');

  test('is not taken out, but by force', async () => {
    await importDisk('mine');
    await store.use('mine', signal);
    await expect(store.remove('mine')).rejects.toThrow(`in use by process ${process.pid};`);
    expect(await content()).toEqual(['mine']);
    await store.remove('mine', { force: true });
    expect(await content()).toEqual([]);
  });

  test('is free once its users are dead, and not while one elsewhere may live', async () => {
    await importDisk('mine');
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const { bootId } = currentOwnerProcess();
    await mkdir(uses(), { recursive: true });
    const mark = `${child.pid}_${processStartTime(child.pid as number)}_${encodeURIComponent(bootId)}_00000000`;
    await writeFile(join(uses(), mark), '');
    await expect(store.remove('mine')).rejects.toThrow(`in use by process ${child.pid};`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await writeFile(join(uses(), '77_5_elsewhere_00000000'), '');
    await expect(store.remove('mine')).rejects.toThrow('in use by process 77;');
    expect(await readdir(uses())).toEqual(['77_5_elsewhere_00000000']);
    await rename(join(uses(), '77_5_elsewhere_00000000'), join(uses(), 'nonsense'));
    await store.remove('mine');
    expect(await content()).toEqual([]);
  });
});

test('what a dead import left is removed by the next, when it is old', async () => {
  for (const name of ['.pending-old', '.pending-new']) await mkdir(join(store.folder, name), { recursive: true });
  await chmod(store.folder, 0o700);
  await utimes(join(store.folder, '.pending-old'), 1, 1);
  await importDisk('mine');
  expect(await content()).toEqual(['.pending-new', 'mine']);
});

test('a store that others may write to is refused', async () => {
  await mkdir(store.folder);
  await chmod(store.folder, 0o777);
  await expect(importDisk('mine')).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_INVALID' });
});

test.each([
  [{ XDG_DATA_HOME: '/data' }, true, '/data/warmvm/images'],
  [{ XDG_DATA_HOME: 'relative' }, true, '/var/lib/warmvm/images'],
  [{}, true, '/var/lib/warmvm/images'],
  [{}, false, expect.stringMatching(/\/\.local\/share\/warmvm\/images$/)],
])('with %j, root %s keeps images in %s', (environment, isRoot, expected) => {
  expect(storeFolder(environment as Record<string, string>, isRoot)).toEqual(expected);
});

function overlay(): Buffer {
  return Buffer.from(emptyQcow2({ virtualBytes: MIB, backing: { path: '/etc/shadow', format: 'raw' } }));
}
