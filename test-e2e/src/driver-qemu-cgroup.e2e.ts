import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildTinyImage } from '@warmvm/guest-image';
import { beforeAll, describe, expect, test } from 'vitest';
import { bootBareGuest } from './support/bare-guest.ts';

const PACKAGES = fileURLToPath(new URL('../../packages/', import.meta.url));
const SCENE = 'driver-qemu/src/fixtures/cgroup-scene.ts';
const DISK_BYTES = 256 * 2 ** 20;
const LIMIT_MS = 600_000;
const run = promisify(execFile);
let scene: Record<string, unknown>;

/** A disk with Node, the libraries that it needs, and the sources of the driver's cgroups. */
async function nodeDisk(folder: string): Promise<string> {
  const content = join(folder, 'content');
  const library = join(content, 'lib');
  await mkdir(library, { recursive: true });
  await cp(process.execPath, join(content, 'node'));
  const { stdout } = await run('ldd', [process.execPath]);
  const libraries = stdout.match(/\/\S+(?= \()/g) ?? [];
  for (const path of libraries) await cp(path, join(library, basename(path)), { dereference: true });
  const parts = [
    'core/package.json',
    'core/src',
    'driver-qemu/package.json',
    'driver-qemu/src/containment/cgroup.ts',
    SCENE,
  ];
  for (const part of parts) await cp(join(PACKAGES, part), join(content, 'packages', part), { recursive: true });
  await mkdir(join(content, 'node_modules', '@warmvm'), { recursive: true });
  await symlink('../../packages/core', join(content, 'node_modules', '@warmvm', 'core'));
  const [raw, path] = [join(folder, 'disk.raw'), join(folder, 'disk.qcow2')];
  await run('mke2fs', ['-q', '-t', 'ext4', '-d', content, raw, `${DISK_BYTES / 1024}k`]);
  await run('qemu-img', ['convert', '-O', 'qcow2', raw, path]);
  return path;
}

/** This computer's kernel may have no cgroups of version 2, or others' in them: a guest's has nothing else. */
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-cgroup-'));
  try {
    const { boot } = await buildTinyImage();
    if (boot.kind !== 'kernel') throw new Error('the tiny image has no kernel');
    await using guest = await bootBareGuest(boot, await nodeDisk(folder));
    const mounted = await guest.run('/bin/sh', ['-c', 'mount -t cgroup2 none /sys/fs/cgroup']);
    expect(mounted).toMatchObject({ exitCode: 0 });
    const { exitCode, output, complaint } = await guest.run('/disk/lib/ld-linux-x86-64.so.2', [
      ...['--library-path', '/disk/lib', '/disk/node'],
      ...['--conditions=@warmvm/source', '--no-warnings', `/disk/packages/${SCENE}`],
    ]);
    expect({ exitCode, complaint }).toEqual({ exitCode: 0, complaint: '' });
    scene = JSON.parse(output) as Record<string, unknown>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, LIMIT_MS);

describe('the cgroups of machines, in a real kernel', () => {
  test('are made where this user may make them, and nowhere else', () => {
    expect(scene.ofRoot).toMatchObject({ remedy: expect.stringContaining('options.cgroup') });
    expect(scene.withoutMemory).toMatchObject({ reason: expect.stringContaining('delegated to this user') });
    expect(scene.delegated).toEqual({
      path: '/sys/fs/cgroup/user',
      controllers: expect.arrayContaining(['cpu', 'memory', 'pids']),
    });
  });

  test('end what takes more memory than it may', () => {
    expect(scene.greedy).toEqual({ signal: 'SIGKILL', events: expect.stringMatching(/^oom_kill [1-9]/m) });
  });

  test('hold the number of processes', () => {
    expect(scene.many).toMatchObject({ events: expect.stringMatching(/^max [1-9]/m) });
    expect((scene.many as { readonly running: number }).running).toBeLessThanOrEqual(4);
  });

  test('hold back what takes more of the processors than it may', () => {
    expect(scene.busy).toEqual({ throttled: true });
  });

  test('are removed with everything that ran in them', () => {
    expect(scene).toMatchObject({ left: [], alive: [] });
  });
});
