import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { grubDisk } from './support/grub-disk.ts';
import { runProgram } from './support/main-program.ts';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';

let host: QemuHost;
let folder: string;

beforeAll(async () => {
  host = await openQemuHost();
  folder = await mkdtemp(join(tmpdir(), 'warmvm-images-'));
  // QEMU runs as another user when this is root, and has to get to the disk.
  await chmod(folder, 0o711);
  const tiny = await buildTinyImage();
  if (tiny.boot.kind !== 'kernel') throw new Error('the tiny image has no kernel');
  await grubDisk(join(folder, 'mine.qcow2'), tiny.boot);
  const config = {
    driver: { use: 'qemu', options: { stateDirectory: host.stateDirectory } },
    image: 'mine',
    pool: { name: 'cli-images' },
  };
  await writeFile(join(folder, 'warmvm.config.json'), JSON.stringify(config));
});

afterAll(async () => {
  await host?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function program(...words: readonly string[]) {
  await using running = runProgram(words, folder, { XDG_DATA_HOME: join(folder, 'data') });
  return await running.ended;
}

test('a disk of one’s own gets a name, is run by it, stays while it is used, and goes', async () => {
  expect(await program('run', '--', 'true')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('there is no image "mine"; there are: tiny.'),
  });
  const imported = await program('image', 'import', 'mine.qcow2', '--name', 'mine');
  expect(imported).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^imported: mine, .* sha256:/) });
  await rm(join(folder, 'mine.qcow2'));
  const { images } = JSON.parse((await program('image', 'list', '--json')).stdout) as { images: unknown[] };
  expect(images).toEqual([expect.objectContaining({ name: 'mine', kind: 'disk', format: 'qcow2' })]);

  await using user = runProgram(['run', '--', 'sh', '-c', 'grep " /disk " /proc/mounts; sleep 600'], folder, {
    XDG_DATA_HOME: join(folder, 'data'),
  });
  await user.prints('/dev/vda1 /disk ext4');
  expect(await program('image', 'rm', 'mine')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/image mine is in use by process \d+; end it first/),
  });
  user.signal('SIGINT');
  expect((await user.ended).exitCode).toBe(130);

  expect(await program('run', '--image', 'mine', '--', 'uname')).toMatchObject({ exitCode: 0, stdout: 'Linux\n' });
  expect(await program('image', 'rm', 'mine')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^removed: mine, \d+ MiB\n$/),
  });
});
