import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { MessageStatus, MessageType } from '../frame/index.ts';
import { all, hole, opened, volume } from '../testing/open-stream.ts';
import { connected, settle } from '../testing/scripted-daemon.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

describe('an upload', () => {
  test('cuts the data into packets in order, then finishes', async () => {
    const { daemon, call, stream } = await opened('storageVolUpload');
    const data = Buffer.alloc(600_000, 7);
    const writing = stream.write(data);
    data.fill(0);
    const more = stream.write(Buffer.from('end'));
    const finishing = stream.finish();
    const sizes: number[] = [];
    for (let packet = await daemon.next(); packet.status !== MessageStatus.OK; packet = await daemon.next()) {
      expect(packet).toMatchObject({ type: MessageType.STREAM, status: MessageStatus.CONTINUE, serial: call.serial });
      expect(packet.payload[0]).not.toBe(0);
      sizes.push(packet.payload.length);
    }
    expect(sizes).toEqual([262_120, 262_120, 75_760, 3]);
    daemon.stream(call, MessageStatus.OK);
    await Promise.all([writing, more, finishing]);
  });

  test('waits while the socket is full', async () => {
    const { daemon, stream } = await opened('storageVolUpload');
    daemon.socket.pause();
    let isDone = false;
    const writing = stream.write(Buffer.alloc(2_000_000)).then(() => {
      isDone = true;
    });
    await settle();
    expect(isDone).toBe(false);
    expect(daemon.client.writableLength).toBeLessThan(600_000);
    daemon.socket.resume();
    await writing;
    expect(isDone).toBe(true);
  });

  test('that waits can be given up, or ends with the connection', async () => {
    const { daemon, stream } = await opened('storageVolUpload');
    daemon.socket.pause();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const writing = stream.write(Buffer.alloc(2_000_000), { signal: controller.signal });
    await settle();
    controller.abort(reason);
    await expect(writing).rejects.toBe(reason);
    const again = stream.write(Buffer.alloc(2_000_000));
    await settle();
    daemon.client.destroy();
    await expect(again).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
    await expect(stream.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
  });

  test('fails at any moment with the error of the daemon, a pending finish included', async () => {
    const { daemon, call, stream } = await opened('storageVolUpload');
    await stream.write(Uint8Array.of(1));
    const finishing = stream.finish();
    daemon.fail(call, 38, 'no space', MessageType.STREAM);
    await expect(finishing).rejects.toMatchObject({ libvirtCode: 38 });
    await expect(stream.write(Uint8Array.of(1))).rejects.toMatchObject({ libvirtCode: 38 });
  });

  test('that waits gets the error of the daemon, also when the connection is closed for it', async () => {
    const { daemon, connection, call, stream } = await opened('storageVolUpload');
    daemon.socket.pause();
    const writing = stream.write(Buffer.alloc(2_000_000));
    const outcome = expect(writing).rejects.toMatchObject({ libvirtCode: 38 });
    await settle();
    daemon.fail(call, 38, 'no space', MessageType.STREAM);
    expect(await stream.settled).toMatchObject({ libvirtCode: 38 });
    daemon.client.destroy();
    await connection.closed;
    await outcome;
  });

  test('sends holes when opened sparse', async () => {
    const { daemon, call, stream } = await opened('storageVolUpload', 1);
    await stream.writeHole(4_194_304n);
    const packet = await daemon.next();
    expect(packet).toMatchObject({
      type: MessageType.STREAM_HOLE,
      status: MessageStatus.CONTINUE,
      serial: call.serial,
    });
    expect(Buffer.compare(packet.payload, hole(4_194_304n))).toBe(0);
  });

  test('refuses holes when not opened sparse, and bad lengths', async () => {
    const plain = await opened('storageVolUpload');
    await expect(plain.stream.writeHole(1n)).rejects.toThrow('sparse flag');
    const sparse = await opened('storageVolUpload', 1);
    await expect(sparse.stream.writeHole(-1n)).rejects.toThrow(RangeError);
    await expect(sparse.stream.writeHole(5 as unknown as bigint)).rejects.toThrow(RangeError);
  });

  test('cannot go on after finish', async () => {
    const { daemon, call, stream } = await opened('storageVolUpload');
    const finishing = stream.finish();
    await daemon.next();
    daemon.stream(call, MessageStatus.OK);
    await finishing;
    await expect(stream.write(Uint8Array.of(1))).rejects.toThrow('is finished');
  });

  test('works as a writable Duplex', async () => {
    const { daemon, call, stream } = await opened('storageVolUpload');
    const done = pipeline(Readable.from([Buffer.from('a'), Buffer.from('b')]), stream.duplex);
    expect(String((await daemon.next()).payload)).toBe('a');
    expect(String((await daemon.next()).payload)).toBe('b');
    expect(await daemon.next()).toMatchObject({ status: MessageStatus.OK });
    daemon.stream(call, MessageStatus.OK);
    await done;
  });
});

describe('a console', () => {
  test('carries both directions', async () => {
    const { daemon, call, stream } = await opened('domainOpenConsole');
    await stream.write(Buffer.from('ls\n'));
    expect(String((await daemon.next()).payload)).toBe('ls\n');
    daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('file'));
    const { value } = await stream[Symbol.asyncIterator]().next();
    expect(String(value)).toBe('file');
  });

  test('aborts when its Duplex is destroyed', async () => {
    const { daemon, call, stream } = await opened('domainOpenConsole');
    const duplex = stream.duplex;
    const closing = once(duplex, 'close');
    duplex.destroy();
    expect(await daemon.next()).toMatchObject({ status: MessageStatus.ERROR });
    daemon.stream(call, MessageStatus.OK);
    await closing;
  });
});

describe('an abort', () => {
  test('tells the daemon, swallows late data, and waits for the confirmation', async () => {
    const { daemon, call, stream } = await opened('storageVolDownload');
    const reading = all(stream);
    const aborting = stream.abort();
    await expect(reading).rejects.toMatchObject({ code: 'LIBVIRT_ABORTED' });
    expect(await daemon.next()).toMatchObject({ type: MessageType.STREAM, status: MessageStatus.ERROR });
    daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('late'));
    daemon.stream(call, MessageStatus.OK);
    await aborting;
    await stream.abort();
    expect(await stream.settled).toBeUndefined();
    await expect(stream.finish()).rejects.toMatchObject({ code: 'LIBVIRT_ABORTED' });
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'LIBVIRT_ABORTED' });
  });

  test('is confirmed by an error as well', async () => {
    const { daemon, call, stream } = await opened('storageVolUpload');
    const aborting = stream.abort();
    await daemon.next();
    daemon.fail(call, 39, 'broken', MessageType.STREAM);
    await aborting;
  });

  test('takes a pending finish with it', async () => {
    const { daemon, call, stream } = await opened('storageVolUpload');
    const finishing = stream.finish();
    await daemon.next();
    const aborting = stream.abort();
    await daemon.next();
    daemon.stream(call, MessageStatus.OK);
    await expect(finishing).rejects.toMatchObject({ code: 'LIBVIRT_ABORTED' });
    await aborting;
  });

  test('is what disposing does, even when the connection is lost meanwhile', async () => {
    const { daemon, stream } = await opened('storageVolDownload');
    const disposing = stream[Symbol.asyncDispose]();
    await daemon.next();
    daemon.client.destroy();
    await disposing;
  });

  test('of the opening call aborts the stream when the late reply comes', async () => {
    const { daemon, connection } = await connected();
    const controller = new AbortController();
    const reason = new Error('not wanted');
    const opening = connection.openStream('storageVolDownload', volume(0), { signal: controller.signal });
    const call = await daemon.expect('storageVolDownload');
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    daemon.reply('storageVolDownload', call, {});
    expect(await daemon.next()).toMatchObject({
      serial: call.serial,
      type: MessageType.STREAM,
      status: MessageStatus.ERROR,
    });
    daemon.stream(call, MessageStatus.OK);
  });
});

describe('the wait for a confirmation', () => {
  test('has a deadline', async () => {
    const clock = new VirtualClock();
    const { daemon, stream } = await opened('storageVolUpload', 0, { clock, slowCallTimeoutMs: 700 });
    const before = clock.pending;
    const finishing = stream.finish();
    const outcome = expect(finishing).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT' });
    await daemon.next();
    expect(clock.pending).toBe(before + 1);
    clock.advance(700);
    await outcome;
    expect(clock.pending).toBeLessThanOrEqual(before);
  });

  test('can be given up', async () => {
    const { stream } = await opened('storageVolUpload');
    const controller = new AbortController();
    const finishing = stream.finish({ signal: controller.signal });
    const reason = new Error('not wanted');
    controller.abort(reason);
    await expect(finishing).rejects.toBe(reason);
    await expect(stream.abort({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

test('a lost connection ends the stream with its error', async () => {
  const { daemon, stream } = await opened('storageVolDownload');
  const reading = all(stream);
  daemon.socket.end();
  await expect(reading).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
  expect(await stream.settled).toMatchObject({ code: 'LIBVIRT_CLOSED' });
});

test('a reply that opens a stream but cannot be decoded ends the connection', async () => {
  const { daemon, connection } = await connected();
  const opening = connection.openStream('storageVolDownload', volume(0));
  daemon.stream(await daemon.expect('storageVolDownload'), 0, new Uint8Array(4), MessageType.REPLY);
  await expect(opening).rejects.toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
  expect(await connection.closed).toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
});
