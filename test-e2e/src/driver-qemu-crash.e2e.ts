import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Driver } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { ownerOf } from './support/tenant.ts';

const DOOMED = fileURLToPath(new URL('./support/doomed-qemu-driver.ts', import.meta.url));
const owner = ownerOf('e2e-crash');

let host: QemuHost;
/** Lives all the time, with a machine that nobody's death may touch. */
let bystander: Driver;

beforeAll(async () => {
  host = await openQemuHost();
  bystander = createQemuDriver({ stateDirectory: host.stateDirectory });
  const golden = await bystander.prepare(await buildTinyImage(), { owner });
  await bystander.fork(golden, { owner });
});

afterAll(async () => {
  await bystander?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

/** Starts a process that makes machines, and kills it as soon as it has said the words. Resolves with all that it said. */
async function killAt(words: string, stateDirectory: string): Promise<readonly string[]> {
  const child = spawn(
    process.execPath,
    ['--conditions=@warmvm/source', '--no-warnings', DOOMED, stateDirectory, owner.pool],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (line === words) break;
  }
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
  return said;
}

describe('a process that is killed', () => {
  test.each(['prepared', 'forked', 'forking', 'resetting'])(
    'when it has said %s leaves nothing but what the next driver removes, and touches nobody else',
    { timeout: 300_000 },
    async (words) => {
      const before = await host.inventory();
      // It shares the template that this process has made.
      expect((await killAt(words, host.stateDirectory))[0]).toBe('prepare reuse');
      // The kernel kills its QEMUs with it, and they have to be buried.
      await expect.poll(() => host.processesWith(host.stateDirectory), { timeout: 20_000 }).toHaveLength(1);
      const heir = createQemuDriver({ stateDirectory: host.stateDirectory });
      await heir.list(owner);
      expect(await host.inventory()).toEqual(before);
      await heir[Symbol.asyncDispose]();
      const records = await bystander.list(owner);
      expect(records.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual([
        'golden stopped',
        'machine running',
      ]);
    },
  );

  test.each(['prepare boot', 'prepare snapshot'])(
    'during %s leaves no template that anybody would take for whole',
    { timeout: 300_000 },
    async (words) => {
      await using alone = await openQemuHost();
      await killAt(words, alone.stateDirectory);
      await expect.poll(() => alone.processesWith(alone.stateDirectory), { timeout: 20_000 }).toEqual([]);
      const heir = createQemuDriver({ stateDirectory: alone.stateDirectory });
      expect(await heir.list(owner)).toEqual([]);
      expect(await alone.inventory()).toEqual([]);
      const golden = await heir.prepare(await buildTinyImage(), { owner });
      const machine = await heir.fork(golden, { owner });
      expect(await machine.state()).toBe('running');
      await heir[Symbol.asyncDispose]();
      expect(await alone.inventory()).toEqual([]);
    },
  );
});
