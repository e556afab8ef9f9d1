import { expect, test } from 'vitest';
import { MessageStatus, MessageType } from '../frame/index.ts';
import { all, volume } from '../testing/open-stream.ts';
import { connected, settle } from '../testing/scripted-daemon.ts';
import { maxEarlyBytes } from './streams.ts';

async function opening() {
  const { daemon, connection } = await connected();
  const stream = connection.openStream('storageVolDownload', volume(0));
  return { daemon, connection, stream, call: await daemon.expect('storageVolDownload') };
}

test('data and its end that overtake the reply are not lost', async () => {
  const { daemon, stream, call } = await opening();
  daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('early '));
  daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('bird'));
  daemon.stream(call, MessageStatus.CONTINUE);
  daemon.reply('storageVolDownload', call, {});
  const opened = await stream;
  expect((await all(opened)).toString()).toBe('early bird');
  const finishing = opened.finish();
  expect(await daemon.next()).toMatchObject({ type: MessageType.STREAM, status: MessageStatus.OK });
  daemon.stream(call, MessageStatus.OK);
  await finishing;
});

test('data that overtakes the reply comes before what follows it', async () => {
  const { daemon, stream, call } = await opening();
  daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('first '));
  daemon.reply('storageVolDownload', call, {});
  daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('second'));
  daemon.stream(call, MessageStatus.CONTINUE);
  expect((await all(await stream)).toString()).toBe('first second');
});

test('an error that overtakes the reply ends the stream', async () => {
  const { daemon, stream, call } = await opening();
  daemon.fail(call, 38, 'disk is gone', MessageType.STREAM);
  daemon.reply('storageVolDownload', call, {});
  const opened = await stream;
  expect(await opened.settled).toMatchObject({ libvirtCode: 38 });
  await expect(all(opened)).rejects.toMatchObject({ libvirtCode: 38 });
});

test('early packets of a stream that is then refused are forgotten', async () => {
  const { daemon, connection, stream, call } = await opening();
  const half = new Uint8Array(maxEarlyBytes / 2);
  daemon.stream(call, MessageStatus.CONTINUE, half);
  daemon.fail(call, 38);
  await expect(stream).rejects.toMatchObject({ libvirtCode: 38 });
  const second = connection.openStream('storageVolDownload', volume(0));
  const again = await daemon.expect('storageVolDownload');
  daemon.stream(again, MessageStatus.CONTINUE, half.subarray(0, -300));
  daemon.reply('storageVolDownload', again, {});
  expect((await second).reply).toEqual({});
});

test('a daemon that sends without end before it replies loses the connection', async () => {
  const { daemon, connection, stream, call } = await opening();
  daemon.stream(call, MessageStatus.CONTINUE, new Uint8Array(maxEarlyBytes / 2));
  daemon.stream(call, MessageStatus.CONTINUE, new Uint8Array(maxEarlyBytes / 2));
  await expect(stream).rejects.toMatchObject({ code: 'LIBVIRT_OVERFLOW' });
  expect(await connection.closed).toMatchObject({ code: 'LIBVIRT_OVERFLOW' });
});

test('a packet with the serial of a call that opens no stream is dropped', async () => {
  const { daemon, connection } = await connected();
  const asking = connection.call('connectGetType', {});
  const call = await daemon.expect('connectGetType');
  daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('x'));
  await settle();
  daemon.reply('connectGetType', call, { type: 'TEST' });
  expect(await asking).toEqual({ type: 'TEST' });
});
