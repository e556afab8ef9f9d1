import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@warmvm/core/driver';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { machinePlan } from '../fixtures/machine-plan.ts';
import { connectIn } from './private-socket.ts';
import { startQemu } from './start-qemu.ts';
import { StarterSocket } from './starter-socket.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-starter-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the socket of a starter', () => {
  test('takes one who looks for it, and is gone then', async () => {
    const starter = await StarterSocket.open(folder);
    const qemu = connect(join(folder, starter.name));
    await once(qemu.resume(), 'close');
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
    starter.close();
    const late = connect(join(folder, starter.name));
    expect((await once(late, 'error'))[0]).toMatchObject({ code: 'ENOENT' });
  });

  test('goes where nobody came, and takes nobody else along', async () => {
    const [one, other] = [await StarterSocket.open(folder), await StarterSocket.open(folder)];
    one.close();
    await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1));
    const qemu = connect(join(folder, other.name));
    await once(qemu.resume(), 'close');
  });

  test('can be had in a folder whose path is longer than that of a socket may be', async () => {
    const deep = join(folder, 'x'.repeat(120), 'y'.repeat(120));
    await mkdir(deep, { recursive: true });
    const starter = await StarterSocket.open(deep);
    const qemu = await connectIn(deep, starter.name, {});
    await once(qemu.resume(), 'close');
    await vi.waitFor(async () => expect(await readdir(deep)).toEqual([]));
  });

  test('is gone where its QEMU was never started', async () => {
    const place = { program: 'qemu', directory: folder, maxFileBytes: 2 ** 30, containment: {}, clock: systemClock };
    const start = (): never => expect.unreachable('a plan that cannot be is not started');
    await expect(startQemu(machinePlan({ name: '-not a name' }), { ...place, start })).rejects.toThrow(RangeError);
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
  });

  test('cannot be had in a folder that is not there', async () => {
    await expect(StarterSocket.open(join(folder, 'none'))).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      cause: { syscall: 'listen' },
    });
  });
});
