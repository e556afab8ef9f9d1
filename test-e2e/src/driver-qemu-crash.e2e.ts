import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Driver, type Machine, sleep, systemClock } from '@warmvm/core';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fromSource } from './support/main-program.ts';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { ownerOf } from './support/tenant.ts';

const DOOMED = fileURLToPath(new URL('./support/doomed-qemu-driver.ts', import.meta.url));
const owner = ownerOf('e2e-crash');
const SETTLED_MS = 1_000;
const SETPRIV = '/usr/bin/setpriv';

let host: QemuHost;
/** Lives all the time in this process, with a machine that nobody's death may touch. */
let bystander: Driver;
let machine: Machine;
/** The same in a process of its own, with a lease and processes that wait. */
let neighbour: Started;

beforeAll(async () => {
  host = await openQemuHost();
  bystander = createQemuDriver({ stateDirectory: host.stateDirectory });
  const golden = await bystander.prepare(await buildTinyImage(), { owner });
  machine = await bystander.fork(golden, { owner });
  neighbour = start(host.stateDirectory, 'leased');
  await neighbour.until('leased');
  // Its machine, its lease, one that is ready and one that waits; and nothing comes or goes any more.
  await vi.waitFor(
    async () => {
      const before = await host.inventory();
      expect(await host.processesWith(host.stateDirectory)).toHaveLength(1 + 4);
      await sleep(systemClock, SETTLED_MS);
      expect(await host.inventory()).toEqual(before);
    },
    { timeout: 120_000, interval: 100 },
  );
});

afterAll(async () => {
  await bystander?.[Symbol.asyncDispose]();
  try {
    await neighbour?.kill();
  } finally {
    await host?.[Symbol.asyncDispose]();
  }
});

interface Started {
  /** Resolves with all that it said before and when it said this. */
  until(words: string): Promise<readonly string[]>;
  kill(): Promise<void>;
}

/** Starts a process that makes machines, for ever or until it has said its last words. */
function start(stateDirectory: string, last = '', around: readonly string[] = []): Started {
  const [program = '', ...words] = [...around, ...fromSource(DOOMED), stateDirectory, owner.pool, last];
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  return {
    async until(words) {
      const said: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        said.push(line);
        if (line === words) break;
      }
      return said;
    },
    async kill() {
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
    },
  };
}

/** Starts a process that makes machines, and kills it as soon as it has said the words. Resolves with all that it said. */
async function killAt(words: string, stateDirectory: string): Promise<readonly string[]> {
  const doomed = start(stateDirectory);
  const said = await doomed.until(words);
  await doomed.kill();
  expect(said.at(-1)).toBe(words);
  return said;
}

/** Runs a program where `setpriv` takes a second before it does anything. The program has the process id of what is started. */
async function withSlowSetpriv(folder: string): Promise<readonly string[]> {
  const [slow, real] = [join(folder, 'slow'), join(folder, 'setpriv')];
  await copyFile(SETPRIV, real);
  await writeFile(slow, `#!/bin/sh\nsleep 1\nexec ${real} "$@"\n`, { mode: 0o755 });
  const script = `mount --bind ${slow} ${SETPRIV} && exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];
}

/** Whatever programs run below the folder by now. */
async function processesOf(stateDirectory: string): Promise<readonly string[]> {
  const programs: string[] = [];
  for (const name of await readdir('/proc')) {
    const folder = /^\d+$/.test(name) ? await readlink(`/proc/${name}/cwd`).catch(() => '') : '';
    if (!folder.startsWith(stateDirectory)) continue;
    const words = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    programs.push(words.split('\0')[0] ?? '');
  }
  return programs;
}

describe('a process that is killed', () => {
  test.each(['prepared', 'forked', 'forking', 'leased', 'resetting'])(
    'when it has said %s leaves nothing but what the next driver removes, and touches nobody else',
    { timeout: 300_000 },
    async (words) => {
      const before = await host.inventory();
      const running = await host.processesWith(host.stateDirectory);
      const records = await bystander.list(owner);
      // It shares the template that this process has made.
      expect((await killAt(words, host.stateDirectory))[0]).toBe('prepare reuse');
      // The kernel kills its QEMUs with it, and they have to be buried.
      await expect.poll(() => host.processesWith(host.stateDirectory), { timeout: 20_000 }).toEqual(running);
      const heir = createQemuDriver({ stateDirectory: host.stateDirectory });
      // Who only looks changes nothing.
      const left = await host.inventory();
      await heir.list(owner);
      await heir.ping();
      expect(await host.inventory()).toEqual(left);
      await heir.prepare(await buildTinyImage(), { owner });
      await heir[Symbol.asyncDispose]();
      expect(await host.inventory()).toEqual(before);
      expect(await bystander.list(owner)).toEqual(records);
      expect(await machine.state()).toBe('running');
      await machine.guest.ping();
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
      const golden = await heir.prepare(await buildTinyImage(), { owner });
      expect(await heir.list(owner)).toHaveLength(1);
      const forked = await heir.fork(golden, { owner });
      expect(await forked.state()).toBe('running');
      await heir[Symbol.asyncDispose]();
      expect(await alone.inventory()).toEqual([]);
    },
  );

  test('before the kernel knows what is to die with it leaves no QEMU all the same', { timeout: 120_000 }, async () => {
    await using alone = await openQemuHost();
    const folder = await mkdtemp(join(tmpdir(), 'warmvm-slow-'));
    try {
      const doomed = start(alone.stateDirectory, '', await withSlowSetpriv(folder));
      await doomed.until('prepare boot');
      await expect.poll(() => processesOf(alone.stateDirectory), { interval: 10 }).toContain('/bin/sh');
      await doomed.kill();
      // On its way to become QEMU, with a starter that is dead by now. The shell waits for a program of its own.
      const running = await processesOf(alone.stateDirectory);
      expect(running.filter((program) => program !== 'sleep')).toEqual(['/bin/sh']);
      await expect.poll(() => processesOf(alone.stateDirectory), { timeout: 20_000 }).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
