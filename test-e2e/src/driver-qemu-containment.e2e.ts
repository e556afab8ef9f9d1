import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Driver, type GoldenSnapshot, sleep, systemClock } from '@warmvm/core/driver';
import { createQemuDriver } from '@warmvm/driver-qemu';
import { buildTinyImage, emptyQcow2 } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { ownerOf, shell } from './support/tenant.ts';

const MIB = 2 ** 20;
const SECRET = 'WARMVM_E2E_SECRET';
const owner = ownerOf('e2e-qemu-containment');
let host: QemuHost;
let driver: Driver;
let golden: GoldenSnapshot;

beforeAll(async () => {
  process.env[SECRET] = 'must not be seen';
  host = await openQemuHost();
  driver = createQemuDriver({ stateDirectory: host.stateDirectory, maxOverlayBytes: 16 * MIB });
  golden = await driver.prepare(await buildTinyImage({ diskBytes: 128 * MIB }), { owner });
});

afterAll(async () => {
  delete process.env[SECRET];
  await driver?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

/** The one process of a machine. */
async function pidOf(id: string): Promise<number> {
  const [pid, ...others] = await host.processesWith(id);
  if (pid === undefined || others.length > 0) throw new Error(`${id} has not one process`);
  return pid;
}

/** A field of /proc/PID/status. */
async function statusOf(pid: number): Promise<(field: string) => string | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (field) => new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim();
}

/** Waits, with a bound, until something is so. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await isSo()); attempt += 1) {
    if (attempt === 1000) throw new Error(`${what}: not within ten seconds`);
    await sleep(systemClock, 10);
  }
}

const exists = (pid: number): Promise<boolean> =>
  stat(`/proc/${pid}`).then(
    () => true,
    () => false,
  );

describe('the QEMU of a machine, seen from outside', () => {
  test('has a filter, another user, no capability, and no way to gain one', async () => {
    await using machine = await driver.fork(golden, { owner });
    const status = await statusOf(await pidOf(machine.id));
    expect([status('Seccomp'), status('NoNewPrivs')]).toEqual(['2', '1']);
    expect([status('CapEff'), status('CapPrm'), status('CapBnd'), status('CapInh')]).toEqual(
      Array(4).fill('0'.repeat(16)),
    );
    const users = status('Uid')?.split('\t') ?? [];
    expect(new Set(users).size).toBe(1);
    expect(users).not.toContain('0');
    expect(status('Groups')).toBe('');
  });

  test('leaves no core dump, writes no file without end, and knows nothing of our environment', async () => {
    await using machine = await driver.fork(golden, { owner });
    const pid = await pidOf(machine.id);
    const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
    expect(limits).toMatch(/^Max core file size +0 +0 /m);
    const [, fileBytes] = /^Max file size +(\d+) /m.exec(limits) ?? [];
    expect(Number(fileBytes)).toBeLessThan(32 * MIB);
    expect(await readFile(`/proc/${pid}/environ`, 'utf8')).not.toContain(SECRET);
    // Each process of a machine has a folder of its own in the machine's.
    expect(dirname(await readlink(`/proc/${pid}/cwd`))).toBe(join(host.stateDirectory, 'machines', machine.id));
    expect(await readlink(`/proc/${pid}/fd/0`)).toBe('/dev/null');
  });

  test('shares its user with no other process, and owns no file', async () => {
    await using one = await driver.fork(golden, { owner });
    await using other = await driver.fork(golden, { owner });
    const users: (string | undefined)[] = [];
    for (const { id } of [one, other]) {
      const status = await statusOf(await pidOf(id));
      users.push(status('Uid'), status('Gid'));
    }
    expect([users[0], users[2]]).toEqual([users[1], users[3]]);
    expect(users[0]).not.toBe(users[2]);
    for (const folder of ['', 'marks', 'machines', 'goldens', join('machines', one.id)]) {
      expect((await stat(join(host.stateDirectory, folder))).mode & 0o077, folder).toBe(0);
    }
    for (const name of await readdir(host.stateDirectory, { recursive: true })) {
      const { uid, gid, mode } = await lstat(join(host.stateDirectory, name));
      expect([name, uid, gid], 'root owns everything').toEqual([name, 0, 0]);
      if ((mode & 0o170000) === 0o040000) expect(mode & 0o022, `nobody else makes anything in ${name}`).toBe(0);
    }
  });

  test('gives the guest no network that it was not asked for', async () => {
    await using machine = await driver.fork(golden, { owner });
    expect(await shell(machine.guest, 'ls /sys/class/net')).toBe('lo');
    expect(await readFile(`/proc/${await pidOf(machine.id)}/cmdline`, 'utf8')).not.toMatch(/netdev|hostfwd|virtio-net/);
  });
});

describe('the disk of a machine', () => {
  test('fills no more of the host than it may, and the guest is told', async () => {
    await using machine = await driver.fork(golden, { owner });
    await shell(machine.guest, 'dd if=/dev/urandom of=/disk/much bs=1M count=60 2>/dev/null; sync; true');
    expect(await shell(machine.guest, 'dmesg | grep -c "I/O error, dev vda"')).not.toBe('0');
    expect(await machine.state()).toBe('running');
    const folder = await readlink(`/proc/${await pidOf(machine.id)}/cwd`);
    const overlay = (await readdir(folder)).find((name) => name.endsWith('.qcow2'));
    expect((await stat(join(folder, overlay ?? 'none'))).blocks * 512).toBeLessThan(20 * MIB);
    await machine.reset();
    expect(await shell(machine.guest, 'ls /disk')).toBe('lost+found');
  });

  test.each([MIB, 64 * MIB, 10 * 2 ** 30, 2 ** 40, 4 * 2 ** 40, 16 * 2 ** 40])(
    'of %i bytes is, when empty, what qemu-img takes for whole',
    async (virtualBytes) => {
      const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-qcow2-'));
      try {
        const [backing, path] = [join(folder, 'base, with a comma'), join(folder, 'overlay')];
        await writeFile(backing, Buffer.alloc(MIB));
        await writeFile(path, emptyQcow2({ virtualBytes, backing: { path: backing, format: 'raw' } }));
        const run = promisify(execFile);
        expect((await run('qemu-img', ['check', path])).stdout).toContain('No errors were found');
        const info = JSON.parse((await run('qemu-img', ['info', '--output=json', path])).stdout) as Record<
          string,
          unknown
        >;
        expect(info).toMatchObject({
          'virtual-size': virtualBytes,
          'backing-filename': backing,
          'backing-filename-format': 'raw',
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );
});

describe.each(['prepare', 'lease'] as const)('after the process is killed during %s', (moment) => {
  test('nothing of it is left, and nothing else is touched', async () => {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'warmvm-e2e-doomed-'));
    await chmod(stateDirectory, 0o700);
    const bystander = spawn('sleep', ['600'], { argv0: 'qemu-system-x86_64', cwd: stateDirectory, stdio: 'ignore' });
    const options = JSON.stringify({ stateDirectory, pool: 'doomed', until: moment, keepGoldens: false });
    const script = fileURLToPath(new URL('./support/doomed-qemu.ts', import.meta.url));
    const doomed = spawn(process.execPath, ['--conditions=@warmvm/source', script, options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(doomed.stdout, 'data');
      const pids = await machinesBelow(stateDirectory, bystander.pid ?? 0);
      expect(pids).toHaveLength(moment === 'lease' ? 2 : 1);
      doomed.kill('SIGKILL');
      await once(doomed, 'exit');
      for (const pid of pids) await until(`the end of QEMU ${pid}`, async () => !(await exists(pid)));

      const next = createQemuDriver({ stateDirectory, keepGoldens: false });
      await next.prepare(await buildTinyImage(), { owner: ownerOf('next') });
      await next[Symbol.asyncDispose]();
      for (const name of ['marks', 'machines']) expect(await readdir(join(stateDirectory, name))).toEqual([]);
      expect(await exists(bystander.pid ?? 0)).toBe(true);
    } finally {
      doomed.kill('SIGKILL');
      bystander.kill('SIGKILL');
      await rm(stateDirectory, { recursive: true, force: true });
    }
  });
});

/** Processes that run in a folder or below it. */
async function machinesBelow(folder: string, except: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    const place = Number.isInteger(pid) ? await readlink(`/proc/${pid}/cwd`).catch(() => '') : '';
    if (place.startsWith(folder) && pid !== except) found.push(pid);
  }
  return found;
}
