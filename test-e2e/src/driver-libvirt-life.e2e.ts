import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  type Driver,
  type GoldenImage,
  type GoldenSnapshot,
  type MachineRecord,
  type PrepareProgress,
  sleep,
  systemClock,
  waitForState,
} from '@warmvm/core';
import { createLibvirtDriver } from '@warmvm/driver-libvirt';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killQemu, type LibvirtHost, openLibvirtHost, processes, storageFor } from './support/libvirt-host.ts';
import { ownerOf } from './support/tenant.ts';

/** A domain whose name looks like ours and that carries no mark. */
const FOREIGN = 'warmvm-foreign';
const owner = ownerOf('e2e-life');
let host: LibvirtHost;
let storage: { storagePool: string; storagePath: string };
let before: readonly string[];
let foreignXml: string;
let image: GoldenImage;
let driver: Driver;
let golden: GoldenSnapshot;

beforeAll(async () => {
  host = await openLibvirtHost();
  storage = await storageFor('life');
  image = await buildTinyImage();
  await defineForeign();
  foreignXml = await host.virsh('dumpxml', FOREIGN);
  before = await host.inventory([storage.storagePath]);
  driver = createLibvirtDriver({ uri: host.uri, ...storage });
});

afterAll(async () => {
  await driver?.[Symbol.asyncDispose]();
  await host?.virsh('undefine', FOREIGN).catch(() => {});
  await host?.[Symbol.asyncDispose]();
});

async function defineForeign(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-foreign-'));
  const file = join(folder, 'domain.xml');
  const xml = `<domain type='qemu'><name>${FOREIGN}</name><memory>65536</memory><os><type>hvm</type></os></domain>`;
  await writeFile(file, xml);
  await host.virsh('define', file);
  await rm(folder, { recursive: true });
}

const inventory = () => host.inventory([storage.storagePath]);

describe('a golden snapshot that is given up while it is made', () => {
  const steps: PrepareProgress['step'][] = ['upload', 'boot', 'agent', 'warm-up', 'snapshot'];
  test.each(steps)('leaves nothing when that is at step %s', async (step) => {
    const abort = new AbortController();
    const reason = new Error(`enough at ${step}`);
    const onProgress = (progress: PrepareProgress): void => {
      if (progress.step === step) abort.abort(reason);
    };
    await using own = createLibvirtDriver({ uri: host.uri, ...storage, guardian: false });
    await expect(own.prepare(image, { owner, onProgress, signal: abort.signal })).rejects.toBe(reason);
    expect((await inventory()).filter((line) => line.startsWith('domain') || line.startsWith('process'))).toEqual(
      before.filter((line) => line.startsWith('domain') || line.startsWith('process')),
    );
    await own[Symbol.asyncDispose]();
    expect(await inventory()).toEqual(before);
  });
});

describe('a golden snapshot that is given up in its first moments', () => {
  test('leaves nothing, whenever that is', async () => {
    for (const afterMs of [0, 5, 10, 15, 20, 30, 40, 60, 90]) {
      const abort = new AbortController();
      const reason = new Error(`enough after ${afterMs} ms`);
      const own = createLibvirtDriver({ uri: host.uri, ...storage, guardian: false });
      const preparing = expect(own.prepare(image, { owner, signal: abort.signal })).rejects.toBe(reason);
      await sleep(systemClock, afterMs);
      abort.abort(reason);
      await preparing;
      await own[Symbol.asyncDispose]();
      expect(await inventory()).toEqual(before);
    }
  });
});

describe('the storage pool', () => {
  const upload = async (own: Driver): Promise<void> => {
    const abort = new AbortController();
    const onProgress = (): void => abort.abort(new Error('enough'));
    await expect(own.prepare(image, { owner, onProgress, signal: abort.signal })).rejects.toThrow('enough');
  };
  const open = () => createLibvirtDriver({ uri: host.uri, ...storage, guardian: false });

  test('is made and removed once by drivers that begin and end together', async () => {
    for (let round = 0; round < 5; round += 1) {
      const drivers = [open(), open(), open()];
      await Promise.all(drivers.map(upload));
      await Promise.all(drivers.map((own) => own[Symbol.asyncDispose]()));
      expect(await inventory()).toEqual(before);
    }
  });

  test('is made anew when its folder did not outlive the host', async () => {
    await using own = open();
    await upload(own);
    await host.virsh('pool-destroy', storage.storagePool);
    await rm(storage.storagePath, { recursive: true });
    await upload(own);
    await own[Symbol.asyncDispose]();
    expect(await inventory()).toEqual(before);
  });
});

describe('machines on libvirt', () => {
  let prepared: readonly string[];

  beforeAll(async () => {
    golden = await driver.prepare(image, { owner });
    prepared = await inventory();
  });

  test('that are given up while they are forked leave nothing, whenever that is', async () => {
    for (const afterMs of [0, 50, 200, 400, 600, 800]) {
      const abort = new AbortController();
      const reason = new Error(`enough after ${afterMs} ms`);
      const forking = [1, 2].map(() => driver.fork(golden, { owner, signal: abort.signal }));
      const settled = Promise.allSettled(forking);
      await sleep(systemClock, afterMs);
      abort.abort(reason);
      for (const outcome of await settled) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBe(reason);
        else await outcome.value[Symbol.asyncDispose]();
      }
      expect(await inventory()).toEqual(prepared);
    }
  });

  test('whose QEMU is killed are told as crashed, to those who watch and those who ask', async () => {
    await using machine = await driver.fork(golden, { owner });
    const states: string[] = [];
    const watching = (async () => {
      for await (const { state } of machine.watch()) {
        states.push(state);
        if (state === 'crashed') return;
      }
    })();
    await waitForState(machine, 'running');
    await killQemu(machine.id);
    await watching;
    expect(states.filter((state) => state !== 'stopping')).toEqual(['running', 'crashed']);
    expect(await machine.state()).toBe('crashed');
    expect(await host.stateOf(machine.id)).toBe('shut off (crashed)');
    await expect(machine.guest.ping()).rejects.toMatchObject({ name: 'WarmvmError' });
  });

  test('are removed by their record with all that is theirs, once and again', async () => {
    await driver.fork(golden, { owner });
    const [record] = (await driver.list(owner)).filter(({ kind }) => kind === 'machine');
    await driver.remove(record!);
    expect(await inventory()).toEqual(prepared);
    await driver.remove(record!);
  });

  test('are only those with our mark: a stranger is not listed, adopted or removed', async () => {
    const records = await driver.list(owner);
    expect(records.map(({ id }) => id)).not.toContain(FOREIGN);
    const forged: MachineRecord = { ...records[0]!, id: FOREIGN, kind: 'machine' };
    await driver.remove(forged);
    await expect(driver.adopt(forged, { owner })).rejects.toMatchObject({ code: 'WARMVM_MACHINE_GONE' });
    expect(await host.virsh('dumpxml', FOREIGN)).toBe(foreignXml);
  });

  test('and everything else of a driver is gone after its dispose, the stranger is not', async () => {
    await Promise.all([driver.fork(golden, { owner }), driver.fork(golden, { owner })]);
    await driver[Symbol.asyncDispose]();
    expect(await inventory()).toEqual(before);
    expect(await host.virsh('dumpxml', FOREIGN)).toBe(foreignXml);
  });
});

describe('a driver whose process is killed', () => {
  test('has all that it made removed by its guardian, which ends then', async () => {
    const script = fileURLToPath(new URL('./support/doomed-driver.ts', import.meta.url));
    const options = JSON.stringify({ uri: host.uri, ...storage, pool: 'e2e-doomed' });
    const flags = ['--conditions=@warmvm/source', '--no-warnings'];
    const child = spawn(process.execPath, [...flags, script, options], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const { value, done } = await lines.next();
      if (done) throw new Error('the child ended before its machines were there');
      const made = await inventory();
      for (const id of JSON.parse(value) as string[]) expect(made).toContain(`domain ${id}`);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
    await expect.poll(inventory, { timeout: 30_000, interval: 250 }).toEqual(before);
    await expect.poll(guardians, { timeout: 30_000, interval: 250 }).toEqual([]);
    expect(await host.virsh('dumpxml', FOREIGN)).toBe(foreignXml);
  });

  const guardians = async (): Promise<number[]> =>
    (await processes())
      .filter(({ words }) => words.some((word) => word.includes(storage.storagePool)) && words[0] === process.execPath)
      .map(({ pid }) => pid);
});
