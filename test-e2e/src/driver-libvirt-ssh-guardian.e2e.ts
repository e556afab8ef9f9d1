import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createPool } from '@warmvm/core';
import { createLibvirtSshDriver, type LibvirtSshDriverOptions } from '@warmvm/driver-libvirt-ssh';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FarHost, startFarHost } from './support/far-host.ts';
import { processes, storageFor } from './support/libvirt-host.ts';
import { ownerOf } from './support/tenant.ts';

const DOOMED = fileURLToPath(new URL('./support/doomed-ssh-pool.ts', import.meta.url));
const POOL = 'e2e-ssh-doomed';
let far: FarHost;
let options: LibvirtSshDriverOptions;
let before: readonly string[];
/** A folder with a program `logger` in it, and what that was told. */
let logFolder: string;

beforeAll(async () => {
  far = await startFarHost();
  // A guardian is in no hurry to find out that a link is dead, and a busy computer may be slow to show that one lives.
  const keepalive = { keepaliveIntervalMs: 2_000, keepaliveCount: 3 };
  options = {
    ...far.options,
    ...keepalive,
    guardianGiveUpMs: 120_000,
    ...(await storageFor('ssh-guardian')),
    way: 'streamlocal',
  };
  before = await far.libvirt.inventory();
  logFolder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-logger-'));
  await writeFile(join(logFolder, 'logger'), `#!/bin/sh\nprintf '%s\\n' "$*" >> ${logFolder}/log\n`);
  await chmod(join(logFolder, 'logger'), 0o755);
});

afterAll(async () => {
  await far?.[Symbol.asyncDispose]();
  if (logFolder !== undefined) await rm(logFolder, { recursive: true, force: true });
});

const logged = (): Promise<string> => readFile(join(logFolder, 'log'), 'utf8').catch(() => '');
const guardians = async (): Promise<readonly number[]> =>
  (await processes())
    .filter(({ words }) => words.some((word) => word.includes('/driver-libvirt-ssh/src/guardian-main')))
    // Not those of other suites on this computer.
    .filter(({ words }) => words.some((word) => word.includes(`"${options.storagePool}"`)))
    .map(({ pid }) => pid);

/** Starts a process that leases every machine of its pool, and kills it then. Resolves with the machines. */
async function killWithLeases(more: LibvirtSshDriverOptions, beforeKill = async () => {}): Promise<readonly string[]> {
  const words = ['--conditions=@warmvm/source', '--no-warnings', DOOMED];
  const child = spawn(process.execPath, [...words, JSON.stringify({ ...options, ...more, pool: POOL })], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${logFolder}:${process.env.PATH}` },
  });
  const ended = once(child, 'exit');
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += String(chunk);
  });
  try {
    const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    if (done) throw new Error(`the child ended before it had its leases: ${complaint}`);
    await beforeKill();
    return JSON.parse(value) as string[];
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

test('a process that is killed with leased machines has them removed from the far host by its guardian, which ends then', {
  timeout: 180_000,
}, async () => {
  let living: readonly string[] = [];
  const leased = await killWithLeases({}, async () => {
    living = await far.libvirt.inventory();
    expect(await guardians()).toHaveLength(1);
  });
  for (const id of leased) expect(living).toContain(`domain ${id}`);
  await expect.poll(() => far.libvirt.inventory(), { timeout: 30_000, interval: 250 }).toEqual(before);
  await expect.poll(guardians, { timeout: 30_000, interval: 250 }).toEqual([]);
  await expect.poll(() => far.ssh.sessionPids(), { timeout: 20_000 }).toEqual([]);
  expect(await logged()).toBe('');
});

test('a host that is cut off while its owner is killed is cleaned when it can be reached again', {
  timeout: 180_000,
}, async () => {
  const leased = await killWithLeases({}, () => far.cut('packets'));
  expect(await far.libvirt.inventory()).toEqual(expect.arrayContaining(leased.map((id) => `domain ${id}`)));
  await far.mend('packets');
  await expect.poll(() => far.libvirt.inventory(), { timeout: 60_000, interval: 250 }).toEqual(before);
  await expect.poll(guardians, { timeout: 30_000, interval: 250 }).toEqual([]);
});

test('a host that stays away is given up, which the system log is told, and the next start removes what is there', {
  timeout: 180_000,
}, async () => {
  const leased = await killWithLeases({ guardianGiveUpMs: 2_000, connectTimeoutMs: 1_000 }, () => far.cut('packets'));
  await expect.poll(guardians, { timeout: 60_000, interval: 250 }).toEqual([]);
  expect(await logged()).toMatch(/^-t warmvm -p user\.warning the process that owned .* was killed.*next start/);
  await far.mend('packets');
  expect(await far.libvirt.inventory()).toEqual(expect.arrayContaining(leased.map((id) => `domain ${id}`)));
  const driver = createLibvirtSshDriver(options);
  const pool = createPool({ driver, image: await buildTinyImage(), name: POOL, minReady: 1, max: 1 });
  await pool.ready();
  const living = await far.libvirt.inventory();
  for (const id of leased) expect(living).not.toContain(`domain ${id}`);
  await pool.close({ graceMs: 0 });
  await driver[Symbol.asyncDispose]();
  expect(await far.libvirt.inventory()).toEqual(before);
});

test('where nobody can log in without being asked there is no guardian, which is said, or refused where one is wanted', {
  timeout: 180_000,
}, async () => {
  const { encryptedKey: keyFile, passphrase } = far.ssh.keys;
  const asked = { ...options, keyFile, passphrase: () => passphrase };
  const owner = ownerOf(POOL);
  const image = await buildTinyImage();
  const warnings: Error[] = [];
  const take = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', take);
  try {
    await using strict = createLibvirtSshDriver({ ...asked, guardian: true });
    await expect(strict.prepare(image, { owner })).rejects.toMatchObject({
      code: 'WARMVM_HOST_DENIED',
      message: expect.stringMatching(/guardian.*is encrypted.*options\.guardian/),
      details: { problem: 'passphrase-missing' },
    });
    expect(await far.libvirt.inventory()).toEqual(before);
    expect(warnings).toEqual([]);
    await using driver = createLibvirtSshDriver(asked);
    await driver.prepare(image, { owner });
    expect(warnings).toMatchObject([{ code: 'WARMVM_NO_GUARDIAN' }]);
    await expect.poll(async () => (await guardians()).length).toBe(1);
    await driver[Symbol.asyncDispose]();
    await strict[Symbol.asyncDispose]();
  } finally {
    process.off('warning', take);
  }
  await expect.poll(guardians, { timeout: 10_000 }).toEqual([]);
  expect(await far.libvirt.inventory()).toEqual(before);
});
