import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isWarmvmError } from '@warmvm/core/driver';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { imageDigest } from '../golden/image-digest.ts';
import { emptyQcow2 } from '../qcow2/empty-qcow2.ts';
import { isQcow2, readQcow2Header } from '../qcow2/qcow2-header.ts';
import { describeDiskImage, inspectDiskImage } from './describe-disk-image.ts';
import { describeKernelImage } from './describe-kernel-image.ts';

function qcow2(change: (header: Buffer) => void = () => undefined): Buffer {
  const header = Buffer.alloc(112);
  header.writeUInt32BE(0x514649fb, 0);
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(10n * 2n ** 30n, 24);
  header.writeUInt32BE(104, 100);
  change(header);
  return header;
}

describe('readQcow2Header', () => {
  test('finds the version and the virtual size', () => {
    expect(readQcow2Header(qcow2(), '/d')).toEqual({ version: 3, virtualBytes: 10 * 2 ** 30 });
    const old = qcow2((header) => header.writeUInt32BE(2, 4)).subarray(0, 72);
    expect(readQcow2Header(old, '/d').version).toBe(2);
  });

  test('takes compression types and extended entries, which stay inside the file', () => {
    expect(
      readQcow2Header(
        qcow2((header) => header.writeBigUInt64BE(24n, 72)),
        '/d',
      ).version,
    ).toBe(3);
  });

  test.each<[string, (header: Buffer) => unknown, RegExp]>([
    [
      'a backing file',
      (header) => header.writeBigUInt64BE(200n, 8),
      /has a backing file; flatten it with `qemu-img convert/,
    ],
    ['the length of a backing file', (header) => header.writeUInt32BE(9, 16), /has a backing file/],
    ['an external data file', (header) => header.writeBigUInt64BE(4n, 72), /its data in another file; make one file/],
    ['AES encryption', (header) => header.writeUInt32BE(1, 32), /is encrypted; decrypt it/],
    ['LUKS encryption', (header) => header.writeUInt32BE(2, 32), /is encrypted/],
    ['a corrupt mark', (header) => header.writeBigUInt64BE(2n, 72), /marked as corrupt; repair it/],
    ['a dirty mark', (header) => header.writeBigUInt64BE(1n, 72), /not closed properly/],
    ['unknown features', (header) => header.writeBigUInt64BE(1n << 40n, 72), /unknown features \(0x10000000000\)/],
    ['version 4', (header) => header.writeUInt32BE(4, 4), /version 4; expected 2 or 3/],
    ['tiny clusters', (header) => header.writeUInt32BE(3, 20), /clusters of 2\^3 bytes/],
    ['no size', (header) => header.writeBigUInt64BE(0n, 24), /virtual size 0/],
    ['a size beyond reason', (header) => header.writeBigUInt64BE(2n ** 60n, 24), /virtual size/],
    ['another magic', (header) => header.writeUInt32BE(1, 0), /not a qcow2 image; pass format: 'raw'/],
  ])('refuses %s, by path and with advice', (_, change, message) => {
    const read = (): unknown =>
      readQcow2Header(
        qcow2((header) => void change(header)),
        '/images/d.qcow2',
      );
    expect(read).toThrow(/^\/images\/d\.qcow2 /);
    expect(read).toThrow(message);
  });

  test.each([4, 71, 103])('refuses a header cut off after %i bytes', (length) => {
    expect(() => readQcow2Header(qcow2().subarray(0, length), '/d')).toThrow(/ends within its header/);
  });

  test('answers or throws a typed error on any bytes, and never takes a reference to another file', () => {
    const change = fc.record({ offset: fc.nat(111), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
        const bytes = qcow2((header) => {
          for (const { offset, value } of changes) header[offset] = value;
        });
        try {
          readQcow2Header(bytes, '/d');
        } catch (error) {
          if (!isWarmvmError(error, 'WARMVM_GOLDEN_INVALID')) throw error;
          return;
        }
        const outside = bytes.readBigUInt64BE(8) | BigInt(bytes.readUInt32BE(16)) | BigInt(bytes.readUInt32BE(32));
        expect(outside).toBe(0n);
      }),
      { numRuns: 1000 },
    );
  });

  test('is asked only for what starts like one', () => {
    expect([isQcow2(qcow2()), isQcow2(Buffer.from('QFI')), isQcow2(Buffer.from('no qcow2'))]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('describeDiskImage', () => {
  test('describes a qcow2 image by its virtual size', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'disk');
    await writeFile(path, emptyQcow2({ virtualBytes: 10 * 2 ** 30 }));
    const image = await describeDiskImage({ path, architecture: 'x86_64', renewal: { command: '/renew' } });
    expect(image).toMatchObject({
      name: 'custom',
      network: 'none',
      renewal: { command: '/renew' },
      boot: { kind: 'disk', format: 'qcow2', diskBytes: 10 * 2 ** 30, disk: { path, sizeBytes: 262_144 } },
    });
    expect(image.digest).toBe(imageDigest(image));
  });

  test('has a seed for a second disk, which makes it another image', async () => {
    await using folder = await temporaryFolder();
    const [path, seed] = [join(folder.path, 'disk'), join(folder.path, 'seed')];
    await writeFile(path, emptyQcow2({ virtualBytes: 10 * 2 ** 30 }));
    await writeFile(seed, 'cidata');
    const without = await describeDiskImage({ path });
    const image = await describeDiskImage({ path, seed });
    expect(image.boot).toMatchObject({ seed: { path: seed, sizeBytes: 6 } });
    expect(image.digest).toBe(imageDigest(image));
    expect(image.digest).not.toBe(without.digest);
    expect('seed' in without.boot).toBe(false);
    expect(() => describeDiskImage({ path, seed: 'relative' })).toThrow(TypeError);
  });

  test('describes anything else as raw, by its own size', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'disk');
    await writeFile(path, '');
    await truncate(path, 4096);
    const image = await describeDiskImage({ path, network: 'user' });
    expect(image).toMatchObject({ network: 'user', boot: { format: 'raw', diskBytes: 4096 } });
    expect('renewal' in image).toBe(false);
  });

  test('takes a qcow2 image for a raw disk when told so', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'disk');
    await writeFile(path, Buffer.concat([qcow2()], 512));
    expect((await describeDiskImage({ path, format: 'raw' })).boot).toMatchObject({ format: 'raw', diskBytes: 512 });
  });

  test.each([0, 513])('refuses a raw disk of %i bytes', async (sizeBytes) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'disk');
    await writeFile(path, Buffer.alloc(sizeBytes));
    await expect(describeDiskImage({ path })).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      message: expect.stringContaining(`has ${sizeBytes} bytes`),
    });
  });

  test.each<[string, Buffer]>([
    ['a VMDK image', Buffer.from('KDMV')],
    ['a VHDX image', Buffer.from('vhdxfile')],
    ['a VDI image', Buffer.concat([Buffer.alloc(64, 32), Buffer.from('7f10dabe', 'hex')])],
    ['a gzip archive', Buffer.from('1f8b08', 'hex')],
    ['a web page', Buffer.from('<!DOCTYPE html>')],
  ])('refuses %s, unless it is said to be raw', async (what, start) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'disk');
    await writeFile(path, Buffer.concat([start], 1024));
    await expect(describeDiskImage({ path })).rejects.toThrow(`looks like ${what}`);
    await expect(inspectDiskImage({ path })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_INVALID' });
    expect(await inspectDiskImage({ path, format: 'raw' })).toEqual({ format: 'raw', diskBytes: 1024 });
  });

  test('tells how much it has read', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'disk');
    await writeFile(path, Buffer.alloc(2 * 2 ** 20 + 512));
    const told: number[] = [];
    await describeDiskImage({ path, onProgress: ({ doneBytes, totalBytes }) => told.push(doneBytes / totalBytes) });
    expect(told).toEqual([2 ** 20, 2 ** 21, 2 ** 21 + 512].map((bytes) => bytes / (2 ** 21 + 512)));
  });

  test.each(['.', 'none'])('refuses %s, which is no file', async (name) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, name);
    await expect(inspectDiskImage({ path })).rejects.toMatchObject({ code: 'WARMVM_GOLDEN_INVALID' });
  });

  test('refuses a raw disk that is said to be qcow2', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'disk');
    await writeFile(path, Buffer.alloc(512));
    await expect(describeDiskImage({ path, format: 'qcow2' })).rejects.toThrow(/not a qcow2 image/);
  });

  test('rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough');
    await expect(describeDiskImage({ path: '/d', signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test.each<[string, object]>([
    ['path', { path: 'relative' }],
    ['format', { path: '/d', format: 'vmdk' }],
    ['network', { path: '/d', network: 'bridge' }],
    ['renewal.command', { path: '/d', renewal: { command: 'relative' } }],
    ['architecture', { path: '/d', architecture: 'm68k' }],
  ])('throws a TypeError at once for a bad %s', (option, options) => {
    const call = (): unknown => describeDiskImage(options as { path: string });
    expect(call).toThrow(TypeError);
    expect(call).toThrow(new RegExp(`^${option} is `));
  });
});

describe('describeKernelImage', () => {
  test('describes kernel, initrd and command line', async () => {
    await using folder = await temporaryFolder();
    const kernel = join(folder.path, 'kernel');
    const initrd = join(folder.path, 'initrd');
    await writeFile(kernel, 'k');
    await writeFile(initrd, 'i');
    const image = await describeKernelImage({
      kernel,
      initrd,
      name: 'mine',
      diskBytes: 2 ** 20,
      architecture: 'x86_64',
    });
    expect(image).toMatchObject({
      name: 'mine',
      boot: {
        kind: 'kernel',
        commandLine: 'console=ttyS0 quiet panic=-1',
        diskBytes: 2 ** 20,
        kernel: { path: kernel },
      },
    });
    const onArm = await describeKernelImage({ kernel, initrd, architecture: 'aarch64' });
    expect(onArm.boot).toMatchObject({ commandLine: 'console=ttyAMA0 quiet panic=-1' });
    const other = await describeKernelImage({ kernel, initrd, commandLine: '', diskBytes: 2 ** 20 });
    expect(other.digest).not.toBe(image.digest);
  });

  test('rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(describeKernelImage({ kernel: '/k', initrd: '/i', signal })).rejects.toBe(reason);
  });

  test.each<[string, object]>([
    ['kernel', { kernel: 'k', initrd: '/i' }],
    ['initrd', { kernel: '/k' }],
    ['commandLine', { kernel: '/k', initrd: '/i', commandLine: 'two\nlines' }],
    ['commandLine', { kernel: '/k', initrd: '/i', commandLine: 'x'.repeat(2048) }],
  ])('throws a TypeError at once for a bad %s', (option, options) => {
    const call = (): unknown => describeKernelImage(options as { kernel: string; initrd: string });
    expect(call).toThrow(TypeError);
    expect(call).toThrow(new RegExp(`^${option} is `));
  });
});
