import type { GoldenImage, MachineRecord } from '@warmvm/core/driver';
import { describe, expect, test } from 'vitest';
import { createLibvirtSshDriver } from './driver.ts';
import { dialWorld } from './fixtures/ssh-server.ts';

describe('createLibvirtSshDriver', () => {
  test('is the libvirt driver by another name, and does nothing before it is asked', async () => {
    const driver = createLibvirtSshDriver({ uri: 'qemu+ssh://nobody@host.invalid/system', concurrentForks: 3 });
    expect(driver).toMatchObject({
      name: 'libvirt-ssh',
      specificationVersion: 1,
      capabilities: { reset: 'memory', stateEvents: true, concurrentForks: 3, survivesReconnect: true },
    });
    await driver[Symbol.asyncDispose]();
    await driver[Symbol.asyncDispose]();
    await expect(driver.ping()).rejects.toMatchObject({ code: 'WARMVM_HOST_LOST' });
  });

  test('refuses other hypervisors, options of the local driver and bad options at once', () => {
    expect(() => createLibvirtSshDriver({ uri: 'test+ssh://host/default' })).toThrow('names the hypervisor test');
    expect(() => createLibvirtSshDriver({ uri: 'qemu+ssh://host/system', concurrentForks: 0 })).toThrow(RangeError);
    expect(() => createLibvirtSshDriver({})).toThrow(TypeError);
    const local = { host: 'host', dial: () => {} };
    expect(() => createLibvirtSshDriver(local)).toThrow('options.dial is unknown');
    expect(() => createLibvirtSshDriver({ host: 'host', guardian: 'yes' as never })).toThrow(TypeError);
    expect(() => createLibvirtSshDriver({ host: 'host', guardianGiveUpMs: 10 })).toThrow(
      'options.guardianGiveUpMs is 10',
    );
  });

  test('says in every call why the host is not reached', async () => {
    await using far = await dialWorld({}, {});
    const driver = createLibvirtSshDriver({ ...far.server.options, knownHosts: '/none' });
    const owner = { pool: 'unit', instance: 'one', process: { bootId: 'b', pid: 1, startTime: '1' } };
    const image = {
      digest: 'sha256:1',
      boot: { kind: 'kernel' },
      renewal: { command: ['x'] },
    } as unknown as GoldenImage;
    const record = { id: 'warmvm-x', kind: 'machine', owner } as unknown as MachineRecord;
    const denied = { code: 'WARMVM_HOST_DENIED', details: { problem: 'host-key-unknown' } };
    await expect(driver.ping()).rejects.toMatchObject(denied);
    await expect(driver.list(owner)).rejects.toMatchObject(denied);
    await expect(driver.prepare(image, { owner })).rejects.toMatchObject(denied);
    await expect(driver.adopt(record, { owner })).rejects.toMatchObject(denied);
    await expect(driver.remove(record)).rejects.toMatchObject(denied);
    await expect(driver.fork({ digest: 'x', host: 'h', image }, { owner })).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_MISSING',
    });
    await driver[Symbol.asyncDispose]();
  });
});
