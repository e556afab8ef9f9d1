import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeOverlay } from './overlay.ts';

const GIB = 2 ** 30;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-overlay-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function firstBytes(path: string): Promise<string> {
  const handle = await open(path);
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  await handle.close();
  return buffer.toString('latin1');
}

describe('writeOverlay', () => {
  const options = { backingPath: '/golden/disk', backingFormat: 'raw', virtualBytes: 10 * GIB } as const;

  test('makes a private file that takes no more room than its tables', async () => {
    const { path, fileBytes } = await writeOverlay(join(folder, 'disk'), options);
    const { mode, size, blocks } = await stat(path);
    expect(mode & 0o777).toBe(0o600);
    expect(size).toBe(fileBytes);
    expect(blocks * 512).toBeLessThan(2 ** 20);
    expect(await firstBytes(path)).toBe('QFI\xfb');
  });

  test('has room for the whole disk unless a tenant may write less', async () => {
    const whole = await writeOverlay(join(folder, 'whole'), options);
    const part = await writeOverlay(join(folder, 'part'), { ...options, maxOverlayBytes: GIB });
    expect(whole.fileBytes).toBeGreaterThan(10 * GIB);
    expect(part.fileBytes).toBeGreaterThan(GIB);
    expect(part.fileBytes).toBeLessThan(1.01 * GIB);
  });

  test('never writes over a file that is there', async () => {
    const path = join(folder, 'disk');
    await writeFile(path, 'precious');
    await expect(writeOverlay(path, options)).rejects.toThrow(/EEXIST/);
    expect(await readFile(path, 'utf8')).toBe('precious');
  });

  test('refuses at once what the format cannot carry', () => {
    expect(() => writeOverlay(join(folder, 'disk'), { ...options, virtualBytes: 100 })).toThrow(RangeError);
    expect(() => writeOverlay(join(folder, 'disk'), { ...options, backingPath: 'x' })).toThrow(/backing\.path/);
  });
});
