import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CyclesScene, Inventory } from './support/cycles-scene.ts';
import { openQemuHost } from './support/qemu-host.ts';

const SCENE = fileURLToPath(new URL('./support/cycles-scene.ts', import.meta.url));
const PATIENCE_MS = 1_200_000;
/** What is kept for each cycle would be far more after a hundred; what the runtime keeps for itself is less. */
const MOST_GROWTH_BYTES = 8 * 2 ** 20;
let scene: CyclesScene;

/** All that is counted, and has to be what it was. */
function countsOf({ processes, files, socketPaths, descriptors, usedBytes, usedInodes }: Inventory) {
  return { processes, files, socketPaths, descriptors, usedBytes, usedInodes };
}

/** In a process of its own: this one's memory and descriptors are the test runner's. */
beforeAll(async () => {
  await using host = await openQemuHost();
  const options = ['--expose-gc', '--conditions=@warmvm/source', '--no-warnings', SCENE, host.stateDirectory];
  const child = spawn('unshare', ['--mount', process.execPath, ...options], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const counts = `${host.stateDirectory}.json`;
  try {
    expect(await once(child, 'exit')).toEqual([0, null]);
    scene = JSON.parse(await readFile(counts, 'utf8')) as CyclesScene;
  } finally {
    child.kill('SIGKILL');
    await rm(counts, { force: true });
  }
  const { start, middle, end } = scene;
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const of = (what: 'heapBytes' | 'outsideHeapBytes' | 'residentBytes' | 'usedBytes'): string =>
    [start, middle, end].map((inventory) => mebibytes(inventory[what])).join(', ');
  console.info(
    `MiB at start, after 100 and after 200 cycles: heap ${of('heapBytes')}; outside it ${of('outsideHeapBytes')}; resident ${of('residentBytes')}; state folder ${of('usedBytes')}`,
  );
}, PATIENCE_MS);

describe('two hundred cycles of acquire, exec, dirty and release, of eight machines', () => {
  test('lend only clean machines, each reset after each lease and never replaced', () => {
    expect(scene.dirty).toEqual([]);
    expect(scene.created).toBe(8);
    expect(scene.resets).toBe(scene.cycles + 8);
  });

  test('leave no process, no file, no socket and no byte in the folder, which is in memory', () => {
    expect(countsOf(scene.after)).toEqual(countsOf(scene.before));
  });

  test('keep on the way what the machines have, and no more', () => {
    for (const moment of ['start', 'middle', 'end'] as const) {
      const { processes, socketPaths, files } = scene[moment];
      expect({ moment, processes, socketPaths }).toEqual({ moment, processes: 8, socketPaths: 8 });
      expect(files).toHaveLength(scene.start.files.length);
    }
    expect(scene.middle.descriptors).toEqual(scene.start.descriptors);
    expect(scene.end.descriptors).toEqual(scene.start.descriptors);
    expect(scene.end.usedInodes).toBe(scene.start.usedInodes);
  });

  test('need no more memory in Node after the second hundred than after the first', () => {
    expect(scene.end.heapBytes - scene.middle.heapBytes).toBeLessThan(MOST_GROWTH_BYTES);
    expect(scene.end.outsideHeapBytes - scene.middle.outsideHeapBytes).toBeLessThan(MOST_GROWTH_BYTES);
  });
});
