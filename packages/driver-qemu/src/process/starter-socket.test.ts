import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@warmvm/core/driver';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { machinePlan } from '../fixtures/machine-plan.ts';
import { startQemu } from './start-qemu.ts';
import { StarterSocket } from './starter-socket.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-starter-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the socket of a starter', () => {
  test('takes one who looks for it, and is gone then', async () => {
    const starter = await StarterSocket.open(folder, undefined);
    const qemu = connect(starter.path);
    await once(qemu.resume(), 'close');
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
    starter.close();
    const late = connect(starter.path);
    expect((await once(late, 'error'))[0]).toMatchObject({ code: 'ENOENT' });
  });

  test('goes where nobody came, and takes nobody else along', async () => {
    const [one, other] = [await StarterSocket.open(folder, undefined), await StarterSocket.open(folder, undefined)];
    one.close();
    await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1));
    const qemu = connect(other.path);
    await once(qemu.resume(), 'close');
  });

  test('has a short path: those of sockets are bounded', async () => {
    const starter = await StarterSocket.open(folder, undefined);
    expect(starter.path.length - folder.length).toBeLessThanOrEqual('/heir'.length);
    starter.close();
  });

  test('is gone where its QEMU was never started', async () => {
    const place = { program: 'qemu', directory: folder, maxFileBytes: 2 ** 30, containment: {}, clock: systemClock };
    const start = (): never => expect.unreachable('a plan that cannot be is not started');
    await expect(startQemu(machinePlan({ name: '-not a name' }), { ...place, start })).rejects.toThrow(RangeError);
    await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
  });

  test('cannot be had in a folder that is not there', async () => {
    await expect(StarterSocket.open(join(folder, 'none'), undefined)).rejects.toMatchObject({
      code: 'WARMVM_HOST_OPERATION',
      cause: { syscall: 'listen' },
    });
  });
});
