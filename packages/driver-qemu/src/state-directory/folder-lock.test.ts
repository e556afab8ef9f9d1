import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { lockFolder } from './folder-lock.ts';
import { currentHolder } from './holder.ts';

const clock = systemClock;

describe('lockFolder', () => {
  test('has one holder at a time, and lets everybody have a turn', async () => {
    await using folder = await temporaryFolder();
    let inside = 0;
    let turns = 0;
    const worker = async (): Promise<void> => {
      for (let turn = 0; turn < 5; turn += 1) {
        await using _lock = await lockFolder(join(folder.path, 'lock'), { clock });
        inside += 1;
        expect(inside).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
        turns += 1;
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    expect(turns).toBe(20);
    expect(await readdir(join(folder.path, 'lock'))).toEqual([]);
  });

  test('takes over from the dead at once, and cleans up after them', async () => {
    await using folder = await temporaryFolder();
    const { host, process } = currentHolder();
    await writeFile(join(folder.path, `${'0'.repeat(16)}_${2 ** 30}_1_${host}_${process.bootId}`), '');
    await using _lock = await lockFolder(folder.path, { clock, timeoutMs: 0 });
    expect(await readdir(folder.path)).toHaveLength(1);
  });

  test('waits for whoever may live, names him when the time is over, and leaves nothing', async () => {
    await using folder = await temporaryFolder();
    const stranger = `${'0'.repeat(16)}_77_1_abcd_elsewhere`;
    await writeFile(join(folder.path, stranger), '');
    await expect(lockFolder(folder.path, { clock, timeoutMs: 20 })).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      retryable: true,
      message: expect.stringContaining('locked by process 77'),
    });
    expect(await readdir(folder.path)).toEqual([stranger]);
  });

  test('is free again when it was released while the folder was elsewhere', async () => {
    await using folder = await temporaryFolder();
    const [here, away] = [join(folder.path, 'here'), join(folder.path, 'away')];
    const lock = await lockFolder(join(here, 'lock'), { clock });
    await rename(here, away);
    await lock[Symbol.asyncDispose]();
    await rename(away, here);
    expect(await readdir(join(here, 'lock'))).toHaveLength(1);
    await using _next = await lockFolder(join(here, 'lock'), { clock, timeoutMs: 0 });
    expect(await readdir(join(here, 'lock'))).toHaveLength(1);
  });

  test('is given up with the reason of its signal', async () => {
    await using folder = await temporaryFolder();
    await using _lock = await lockFolder(folder.path, { clock });
    const controller = new AbortController();
    const waiting = lockFolder(folder.path, { clock, signal: controller.signal });
    controller.abort('enough');
    await expect(waiting).rejects.toBe('enough');
    expect(await readdir(folder.path)).toHaveLength(1);
  });

  test('ignores files that are no one’s', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'notes.txt'), '');
    await using _lock = await lockFolder(folder.path, { clock, timeoutMs: 0 });
    expect(await readdir(folder.path)).toContain('notes.txt');
  });
});
