import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findTool } from '../containment/tool.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { sealMemory } from './sealed-memory.ts';

const found = await findTool('perl');
const perl = 'path' in found ? found.path : '';
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.runIf(process.platform === 'linux' && perl !== '')('sealMemory', () => {
  test('copies a file with its holes into memory that opens for writing and takes no write', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'memory');
    await writeFile(path, randomBytes(100_000));
    await truncate(path, 2 ** 24);
    const memory = await sealMemory(path, { perl });
    try {
      const own = `/proc/self/fd/${memory.fd}`;
      expect(digest(await readFile(own))).toBe(digest(await readFile(path)));
      expect((await stat(own)).blocks * 512).toBeLessThan(2 ** 20);
      const again = await open(own, 'r+');
      await expect(again.write('poison', 0)).rejects.toMatchObject({ code: 'EPERM' });
      await expect(again.truncate(1)).rejects.toMatchObject({ code: 'EPERM' });
      await again.close();
    } finally {
      await memory.close();
    }
  });

  test('says what is missing where it cannot be had', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'memory');
    await writeFile(path, 'memory');
    const refused = {
      code: 'WARMVM_HOST_OPERATION',
      message: expect.stringContaining('install QEMU 8.2 or newer, or perl'),
    };
    await expect(sealMemory(path, {})).rejects.toMatchObject(refused);
    await expect(sealMemory(path, { perl: '/bin/false' })).rejects.toMatchObject(refused);
  });
});
