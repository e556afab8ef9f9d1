import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { MessageStatus, MessageType } from '../frame/index.ts';
import { all, hole, opened } from '../testing/open-stream.ts';
import { connected, testDomain as dom, settle } from '../testing/scripted-daemon.ts';
import type { StreamPart } from './incoming.ts';

describe('a download', () => {
  test('gives the data, ends with the empty packet, and is finished with a confirmation', async () => {
    const { daemon, call, stream } = await opened('storageVolDownload');
    daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('hello '));
    daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('world'));
    daemon.stream(call, MessageStatus.CONTINUE);
    expect(String(await all(stream))).toBe('hello world');
    const finishing = stream.finish();
    const finish = await daemon.next();
    expect(finish).toMatchObject({ type: MessageType.STREAM, status: MessageStatus.OK, serial: call.serial });
    daemon.stream(call, MessageStatus.OK);
    await finishing;
    await stream.finish();
    expect(await stream.settled).toBeUndefined();
  });

  test('gives what the reply said', async () => {
    const { daemon, connection } = await connected();
    const opening = connection.openStream('domainScreenshot', { dom, screen: 0, flags: 0 });
    daemon.reply('domainScreenshot', await daemon.expect('domainScreenshot'), { mime: 'image/png' });
    expect((await opening).reply.mime).toBe('image/png');
  });

  test('delivers holes that were asked for, as parts or as zeros', async () => {
    for (const asParts of [true, false]) {
      const { daemon, call, stream } = await opened('storageVolDownload', 1);
      daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('a'));
      daemon.stream(call, MessageStatus.CONTINUE, hole(70_000n), MessageType.STREAM_HOLE);
      daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('b'));
      daemon.stream(call, MessageStatus.CONTINUE);
      if (asParts) {
        const parts: StreamPart[] = [];
        for await (const part of stream.parts()) parts.push(part);
        expect(parts.map((part) => (part.type === 'hole' ? part.lengthBytes : String(part.data)))).toEqual([
          'a',
          70_000n,
          'b',
        ]);
      } else {
        const data = await all(stream);
        expect(data.equals(Buffer.concat([Buffer.from('a'), Buffer.alloc(70_000), Buffer.from('b')]))).toBe(true);
      }
    }
  });

  test.each<[string, number, Buffer]>([
    ['that nobody asked for', 0, hole(5n)],
    ['of negative length', 1, hole(-5n)],
    ['with unknown flags', 1, hole(5n, 1)],
    ['cut short', 1, hole(5n).subarray(0, 8)],
  ])('ends the connection on a hole %s', async (_text, flags, payload) => {
    const { daemon, connection, call, stream } = await opened('storageVolDownload', flags);
    daemon.stream(call, MessageStatus.CONTINUE, payload, MessageType.STREAM_HOLE);
    await expect(all(stream)).rejects.toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
    expect(await connection.closed).toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
  });

  test('passes an error of the daemon on, and finish has it too', async () => {
    const { daemon, connection, call, stream } = await opened('storageVolDownload');
    daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('a'));
    daemon.fail(call, 38, 'disk is gone', MessageType.STREAM);
    const reading = all(stream);
    await expect(reading).rejects.toMatchObject({ libvirtCode: 38 });
    await expect(stream.finish()).rejects.toMatchObject({ libvirtCode: 38 });
    expect(await stream.settled).toMatchObject({ libvirtCode: 38 });
    await stream.abort();
    expect(daemon.received).toEqual([]);
    expect(connection.inFlight).toBe(0);
  });

  test('that is finished early throws away the rest', async () => {
    const { daemon, call, stream } = await opened('storageVolDownload');
    const finishing = stream.finish();
    await daemon.next();
    daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('late'));
    daemon.stream(call, MessageStatus.OK);
    await finishing;
    expect(String(await all(stream))).toBe('');
  });

  test('stops reading the socket while nobody takes the data, and goes on later', async () => {
    const { daemon, call, stream } = await opened('storageVolDownload');
    const piece = Buffer.alloc(262_120, 1);
    for (let count = 0; count < 12; count += 1) daemon.stream(call, MessageStatus.CONTINUE, piece);
    daemon.stream(call, MessageStatus.CONTINUE);
    await settle();
    expect(daemon.client.isPaused()).toBe(true);
    expect((await all(stream)).length).toBe(12 * piece.length);
    expect(daemon.client.isPaused()).toBe(false);
  });

  test('has one reader at a time', async () => {
    const { stream } = await opened('storageVolDownload');
    const first = stream[Symbol.asyncIterator]().next();
    first.catch(() => {});
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow('one reader');
  });

  test('cannot be written to', async () => {
    const { stream } = await opened('storageVolDownload', 1);
    await expect(stream.write(Uint8Array.of(1))).rejects.toThrow(TypeError);
    await expect(stream.writeHole(1n)).rejects.toThrow(TypeError);
  });

  test('is a readable Duplex that finishes by itself', async () => {
    const { daemon, call, stream } = await opened('storageVolDownload');
    const reading = text(stream.duplex);
    daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('hello'));
    daemon.stream(call, MessageStatus.CONTINUE);
    expect(await daemon.next()).toMatchObject({ status: MessageStatus.OK });
    daemon.stream(call, MessageStatus.OK);
    expect(await reading).toBe('hello');
  });

  test('passes errors on through its Duplex', async () => {
    const { daemon, call, stream } = await opened('storageVolDownload');
    const reading = text(stream.duplex);
    daemon.fail(call, 38, 'disk is gone', MessageType.STREAM);
    await expect(reading).rejects.toMatchObject({ libvirtCode: 38 });
  });
});
