import { spawnSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES } from '../architecture/guest-architecture.ts';
import { buildElf } from '../fixtures/build-elf.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { collectModules } from './module-closure.ts';
import { PackageFiles } from './package-files.ts';

describe('PackageFiles', () => {
  test('lists files and links below folders, sorted, and nothing for folders that are absent', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'lib', 'deep'), { recursive: true });
    await writeFile(join(folder.path, 'lib', 'deep', 'b'), '');
    await symlink('deep/b', join(folder.path, 'lib', 'a'));
    expect(await new PackageFiles('p', folder.path).list(['lib', 'absent'])).toEqual(['lib/a', 'lib/deep/b']);
  });

  test('reads through relative and absolute links inside the package', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'lib'));
    await writeFile(join(folder.path, 'lib', 'real'), 'content');
    await symlink('real', join(folder.path, 'lib', 'near'));
    await symlink('/lib/near', join(folder.path, 'far'));
    expect((await new PackageFiles('p', folder.path).read('absent', 'far')).toString()).toBe('content');
  });

  test.each(['/etc/hostname', '../../../../../../etc/hostname'])(
    'never follows a link to %s out of the package',
    async (target) => {
      await using folder = await temporaryFolder();
      await symlink(target, join(folder.path, 'link'));
      await expect(new PackageFiles('p', folder.path).read('link')).rejects.toMatchObject({
        code: 'WARMVM_GOLDEN_INVALID',
        message: 'The package p has no link.',
      });
    },
  );

  test('refuses links that go in a circle', async () => {
    await using folder = await temporaryFolder();
    await symlink('b', join(folder.path, 'a'));
    await symlink('a', join(folder.path, 'b'));
    await expect(new PackageFiles('p', folder.path).read('a')).rejects.toThrow(/circle of links/);
  });

  test('names all places where a file was looked for', async () => {
    await using folder = await temporaryFolder();
    await expect(new PackageFiles('p', folder.path).locate('a', 'b')).rejects.toThrow('The package p has no a or b.');
  });
});

describe('collectModules', () => {
  const architecture = ARCHITECTURES.x86_64;

  test('survives modules that need each other, and loads each once', async () => {
    await using folder = await temporaryFolder();
    const modules = join(folder.path, 'lib', 'modules', '6.1');
    await mkdir(modules, { recursive: true });
    await writeFile(join(modules, 'a.ko'), buildElf({ moduleInfo: 'depends=b\0' }));
    await writeFile(join(modules, 'b.ko'), buildElf({ moduleInfo: 'depends=a\0' }));
    const found = await collectModules(['a', 'b'], new PackageFiles('kernel', folder.path), { architecture });
    expect(found.map(({ name }) => name)).toEqual(['b', 'a']);
  });

  const hasXz = spawnSync('xz', ['--version']).error === undefined;
  test.runIf(hasXz)('decompresses modules of kernels that compress them', async () => {
    await using folder = await temporaryFolder();
    const modules = join(folder.path, 'usr', 'lib', 'modules', '6.12');
    await mkdir(modules, { recursive: true });
    const module = buildElf({ moduleInfo: 'depends=\0' });
    await writeFile(join(modules, 'a.ko.xz'), spawnSync('xz', ['--stdout'], { input: module }).stdout);
    const found = await collectModules(['a'], new PackageFiles('kernel', folder.path), { architecture });
    expect(found).toEqual([{ name: 'a', data: module }]);
  });

  test.runIf(hasXz)('refuses a compressed module that is damaged', async () => {
    await using folder = await temporaryFolder();
    const modules = join(folder.path, 'usr', 'lib', 'modules', '6.12');
    await mkdir(modules, { recursive: true });
    await writeFile(join(modules, 'a.ko.xz'), 'no');
    const attempt = collectModules(['a'], new PackageFiles('kernel', folder.path), { architecture });
    await expect(attempt).rejects.toThrow(/a\.ko\.xz cannot be decompressed/);
  });
});
