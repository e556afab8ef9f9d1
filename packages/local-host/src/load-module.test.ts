import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModule } from './load-module.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-load-'));
  await writeFile(join(folder, 'mint.mjs'), 'export const taste = "cool";\n');
});
afterAll(() => rm(folder, { recursive: true }));

async function complaint(specifier: string): Promise<string> {
  const error = await loadModule(specifier, folder).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ cause: { code: 'ERR_MODULE_NOT_FOUND' } });
  return (error as Error).message;
}

describe('a module of the user', () => {
  test('is a file by its path, absolute or from the folder', async () => {
    expect(await loadModule('./mint.mjs', folder)).toMatchObject({ taste: 'cool' });
    expect(await loadModule(join(folder, 'mint.mjs'), '/')).toMatchObject({ taste: 'cool' });
  });

  test('that is not there is named, with what it was taken for', async () => {
    expect(await complaint('./none.mjs')).toMatch(/^the file "\.\/none\.mjs" cannot be loaded from .*: Cannot find/);
    const message = await complaint('@nobody/nothing');
    expect(message).toMatch(/^the package "@nobody\/nothing" cannot be loaded from .*: Cannot find package/);
    expect(message).not.toContain('for the file');
  });

  test('that was meant as a file and not written as a path is told how', async () => {
    expect(await complaint('mint.mjs')).toMatch(/; for the file of that name, write "\.\/mint\.mjs"$/);
  });

  test('runs only if nobody but this user and root can write it: a file, and a package of a folder above', async () => {
    const shared = join(folder, 'shared');
    const below = join(shared, 'project');
    await mkdir(join(shared, 'node_modules', 'evil'), { recursive: true });
    await mkdir(below);
    const text = 'globalThis.warmvmTestRan = true; export const createDriver = 1;';
    await writeFile(join(shared, 'node_modules', 'evil', 'index.mjs'), text);
    await writeFile(join(shared, 'node_modules', 'evil', 'package.json'), '{ "exports": "./index.mjs" }');
    await writeFile(join(shared, 'evil.mjs'), text);
    await chmod(join(shared, 'node_modules'), 0o777);
    await chmod(join(shared, 'evil.mjs'), 0o666);
    await expect(loadModule('evil', below)).rejects.toThrow(
      /package "evil" cannot be loaded.*other users may write to/,
    );
    await expect(loadModule('../evil.mjs', below)).rejects.toThrow(/other users may write to .*evil\.mjs \(mode 666\)/);
    expect(globalThis).not.toHaveProperty('warmvmTestRan');
    await chmod(join(shared, 'node_modules'), 0o755);
    expect(await loadModule('evil', below)).toMatchObject({ createDriver: 1 });
  });
});
