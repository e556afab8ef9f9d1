import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createPool, type Driver, type GoldenSnapshot, type Machine } from '@warmvm/core';
import { createLibvirtDriver } from '@warmvm/driver-libvirt';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LibvirtHost, openLibvirtHost, storageFor } from './support/libvirt-host.ts';
import { ALL_TRACES, identityOf, leaveTraces, ownerOf, shell, tracesIn } from './support/tenant.ts';

let host: LibvirtHost;
let storage: { storagePool: string; storagePath: string };
let before: readonly string[];
let driver: Driver;
let golden: GoldenSnapshot;
let machines: readonly Machine[];
const owner = ownerOf('e2e-driver');
/** The first random draw, the machine id and the boot id of every generation of every machine. */
const identities: string[] = [];

beforeAll(async () => {
  host = await openLibvirtHost();
  storage = await storageFor('driver');
  before = await host.inventory([storage.storagePath]);
  driver = createLibvirtDriver({ uri: host.uri, ...storage });
  golden = await driver.prepare(await buildTinyImage(), { owner });
  machines = await Promise.all([driver.fork(golden, { owner }), driver.fork(golden, { owner })]);
});

afterAll(async () => {
  await driver?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

/** Dirties a machine, resets it, and holds it against everything that a reset promises. */
async function expectCleanAfterReset(machine: Machine): Promise<void> {
  const { generation } = machine;
  await leaveTraces(machine.guest);
  expect(await tracesIn(machine.guest)).toEqual(ALL_TRACES);
  const tenants = await identityOf(machine.guest);

  await machine.reset();

  expect(machine.generation).toBe(generation + 1);
  expect(await machine.state()).toBe('running');
  expect(await tracesIn(machine.guest)).toEqual([]);
  expect(await shell(machine.guest, 'hostname')).toBe(machine.id);
  expect(Math.abs((await machine.guest.timeMs()) - Date.now())).toBeLessThan(10_000);
  const renewed = await identityOf(machine.guest);
  expect(renewed.filter((part) => tenants.includes(part))).toEqual([]);
  identities.push(...renewed);
}

describe('machines forked from one golden snapshot on libvirt', () => {
  test('run commands, and share neither name nor identity nor randomness', async () => {
    for (const machine of machines) {
      expect(machine.generation).toBe(1);
      expect(await machine.state()).toBe('running');
      expect(await host.stateOf(machine.id)).toMatch(/^running/);
      expect(await shell(machine.guest, 'echo $((6 * 7)); hostname')).toBe(`42\n${machine.id}`);
      identities.push(...(await identityOf(machine.guest)));
    }
    expect(new Set(identities).size).toBe(identities.length);
  });

  test('lose every trace of a tenant by an in-place reset, as often as they are reset, two at a time', async () => {
    const [first, second] = machines as [Machine, Machine];
    await Promise.all([expectCleanAfterReset(first), expectCleanAfterReset(second)]);
    await expectCleanAfterReset(first);
    expect(new Set(identities).size).toBe(identities.length);
  });

  test('are taken over by another driver, which resets them through a revert', async () => {
    const [machine] = machines as [Machine];
    const adopter = ownerOf(owner.pool);
    await using other = createLibvirtDriver({ uri: host.uri, ...storage, reset: 'revert', guardian: false });
    const records = await other.list(owner);
    expect(records.map(({ kind }) => kind).sort()).toEqual(['golden', 'machine', 'machine']);
    const record = records.find(({ id }) => id === machine.id);
    expect(record).toMatchObject({ owner, state: 'running', digest: golden.digest, generation: machine.generation });

    const adopted = await other.adopt(record!, { owner: adopter });
    expect(adopted.generation).toBe(machine.generation);
    await expectCleanAfterReset(adopted);
    await expectCleanAfterReset(adopted);

    expect(new Set(identities).size).toBe(identities.length);
    const marks = await driver.list(owner);
    expect(marks.find(({ id }) => id === machine.id)).toMatchObject({
      owner: adopter,
      generation: adopted.generation,
    });
    await adopted[Symbol.asyncDispose]();
    expect((await driver.list(owner)).map(({ id }) => id)).not.toContain(machine.id);
  });

  test('have a golden container without errors in QEMU’s own eyes', async () => {
    const record = (await driver.list(owner)).find(({ kind }) => kind === 'golden');
    const xml = await host.virsh('dumpxml', record!.id);
    const path = /<source file='([^']+)'/.exec(xml)?.[1];
    const [, offset, size] = /<slice type='storage' offset='(\d+)' size='(\d+)'/.exec(xml) ?? [];
    expect(Number(offset)).toBe(65_536);
    const parts = ['driver=qcow2', 'file.driver=raw', `file.offset=${offset}`, `file.size=${size}`];
    const image = [...parts, 'file.file.driver=file', `file.file.filename=${path}`].join(',');
    const { stdout } = await promisify(execFile)('qemu-img', ['check', '--image-opts', image]);
    expect(stdout).toContain('No errors were found on the image.');
    const snapshots = await promisify(execFile)('qemu-img', ['snapshot', '-l', '--image-opts', image]);
    expect(snapshots.stdout).toMatch(/\bgolden\b/);
  });
});

describe('a machine whose snapshot was deleted behind the driver', () => {
  test('is not given out as reset', async () => {
    await using machine = await driver.fork(golden, { owner });
    await deleteSnapshot(machine.id);
    await leaveTraces(machine.guest);
    await expect(machine.reset()).rejects.toMatchObject({ code: 'WARMVM_RESET_FAILED' });
    expect(machine.generation).toBe(2);
  });

  test('is replaced by its pool', async () => {
    await using pool = createPool({ driver, image: golden.image, name: 'e2e-replace', minReady: 1, max: 1 });
    const lease = await pool.acquire();
    await leaveTraces(lease.guest);
    await deleteSnapshot(lease.machineId);
    await lease.release();
    await using next = await pool.acquire();
    expect(next.machineId).not.toBe(lease.machineId);
    expect(await tracesIn(next.guest)).toEqual([]);
  });

  const deleteSnapshot = (machine: string) =>
    host.virsh('qemu-monitor-command', machine, '--hmp', 'delvm golden').then((said) => expect(said).toBe(''));
});

describe('a golden snapshot whose agent libvirt itself speaks to', () => {
  test('gives machines that work and are reset all the same', async () => {
    await using other = createLibvirtDriver({ uri: host.uri, ...storage, agentTransport: 'libvirt' });
    const snapshot = await other.prepare(golden.image, { owner });
    const machine = await other.fork(snapshot, { owner });
    expect(await host.virsh('dumpxml', machine.id)).toMatch(/<target type='virtio' name='org.qemu.guest_agent.0'/);
    await expectCleanAfterReset(machine);
    await expectCleanAfterReset(machine);
    expect(new Set(identities).size).toBe(identities.length);
  });
});

describe('the end of a driver on libvirt', () => {
  test('leaves the host as it was before', async () => {
    await driver[Symbol.asyncDispose]();
    expect(await host.inventory([storage.storagePath])).toEqual(before);
  });
});
