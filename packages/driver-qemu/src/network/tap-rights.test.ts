import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { tapRights } from './tap-rights.ts';

test.each([
  ['65534\n', '-1\n', { uid: 65_534 }],
  ['-1\n', '108\n', { gid: 108 }],
  ['7\n', '8\n', { uid: 7, gid: 8 }],
  ['-1\n', '-1\n', {}],
  ['0\n', '0\n', {}],
])('a tap with owner %j and group %j opens for %j', async (owner, group, rights) => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'tap0'));
  await writeFile(join(folder.path, 'tap0', 'owner'), owner);
  await writeFile(join(folder.path, 'tap0', 'group'), group);
  expect(await tapRights('tap0', folder.path)).toEqual(rights);
  expect(await tapRights('tap1', folder.path)).toEqual({});
});
