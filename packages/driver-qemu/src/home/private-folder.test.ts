import { chmod, chown, mkdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { ensurePrivateFolder, requireTrustedParents } from './private-folder.ts';

const isRoot = process.getuid?.() === 0;
const refused = { code: 'WARMVM_HOST_OPERATION', message: expect.stringContaining('is not safe to use') };

describe('ensurePrivateFolder', () => {
  test('makes one, and closes one that is open to others', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'own');
    for (const mode of [0o700, 0o755, 0o1777]) {
      await ensurePrivateFolder(path);
      expect((await stat(path)).mode & 0o7777).toBe(0o700);
      await chmod(path, mode);
    }
  });

  test('takes no link, whatever it leads to', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'precious'), { mode: 0o755 });
    await symlink('precious', join(folder.path, 'own'));
    await expect(ensurePrivateFolder(join(folder.path, 'own'))).rejects.toMatchObject(refused);
    expect((await stat(join(folder.path, 'precious'))).mode & 0o777).toBe(0o755);
  });

  test.runIf(isRoot)('takes none of another user', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'own');
    await mkdir(path);
    await chown(path, 12_345, 0);
    await expect(ensurePrivateFolder(path)).rejects.toMatchObject({ ...refused, details: { folder: path } });
  });
});

describe('requireTrustedParents', () => {
  test('refuses a folder that others can put another one in the place of', async () => {
    await using folder = await temporaryFolder();
    const parent = join(folder.path, 'parent');
    await mkdir(parent);
    await requireTrustedParents(join(parent, 'state'));
    await chmod(parent, 0o777);
    await expect(requireTrustedParents(join(parent, 'state'))).rejects.toMatchObject({
      ...refused,
      details: { folder: parent, remedy: expect.stringContaining('chmod go-w') },
    });
    // As /tmp is: nobody moves what belongs to another user.
    await chmod(parent, 0o1777);
    await requireTrustedParents(join(parent, 'state'));
  });

  test.runIf(isRoot)('refuses one below a folder of another user, also behind a link', async () => {
    await using folder = await temporaryFolder();
    const parent = join(folder.path, 'parent');
    await mkdir(parent);
    await chown(parent, 12_345, 0);
    await symlink('parent', join(folder.path, 'link'));
    for (const name of ['parent', 'link']) {
      await expect(requireTrustedParents(join(folder.path, name, 'state'))).rejects.toMatchObject(refused);
    }
  });
});
