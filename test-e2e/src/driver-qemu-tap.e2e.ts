import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openQemuHost } from './support/qemu-host.ts';
import type { TapScene } from './support/tap-scene.ts';

const SCENE = fileURLToPath(new URL('./support/tap-scene.ts', import.meta.url));
let scene: TapScene;
let leftProcesses: readonly number[];

/** Real taps on a real bridge, in namespaces that end with the process: nothing of this computer's network is touched. */
beforeAll(async () => {
  await using host = await openQemuHost();
  await chmod(host.stateDirectory, 0o711);
  const child = spawn(
    'unshare',
    ['--net', '--mount', process.execPath, '--conditions=@warmvm/source', '--no-warnings', SCENE, host.stateDirectory],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  try {
    expect(await once(child, 'exit')).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
  }
  leftProcesses = await host.processesWith(host.stateDirectory);
  scene = JSON.parse(await readFile(join(host.stateDirectory, 'scene.json'), 'utf8')) as TapScene;
});

describe('machines on taps', () => {
  test('reach the host’s side and are reached from it, also after a reset', () => {
    expect(scene.fromHost).toEqual(['hello 10.99.0.2', 'hello 10.99.0.3', 'hello 10.99.0.4']);
    expect(scene.fromGuests).toEqual([scene.ids[0], scene.ids[1], scene.ids[0]]);
    expect(scene.addressesAfterReset).not.toContain('10.99.0.2');
  });

  test('reach each other over the bridge', () => {
    expect(scene.fromEachOther).toBe(scene.ids[1]);
  });

  test('are heard under a card’s address of their own, another one in each generation', () => {
    expect(scene.heard).toEqual(scene.macs);
    expect(new Set(scene.macs).size).toBe(3);
    for (const mac of scene.macs) expect(mac).toMatch(/^02:/);
  });

  test('leave no process behind', () => {
    expect(leftProcesses).toEqual([]);
  });
});

test('machines of a driver that was told nothing have no card, whatever taps there are', () => {
  expect(scene.withoutNetwork).toBe('lo');
});
