import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MessageStatus, MessageType } from '../frame/index.ts';
import { all, opened } from '../testing/open-stream.ts';
import { settle } from '../testing/scripted-daemon.ts';
import { highWaterBytes, IncomingParts } from './incoming.ts';

test('the Duplex of a stream is one and the same', async () => {
  const { stream } = await opened('domainOpenConsole');
  expect(stream.duplex).toBe(stream.duplex);
});

test('a Duplex talks in both directions, and ending it finishes the stream', async () => {
  const { daemon, call, stream } = await opened('domainOpenConsole');
  const { duplex } = stream;
  duplex.write('ping');
  const { payload } = await daemon.next();
  expect(Buffer.from(payload).toString()).toBe('ping');
  daemon.stream(call, MessageStatus.CONTINUE, Buffer.from('pong'));
  const [answer] = await once(duplex, 'data');
  expect(String(answer)).toBe('pong');
  duplex.end();
  expect(await daemon.next()).toMatchObject({ type: MessageType.STREAM, status: MessageStatus.OK });
  daemon.stream(call, MessageStatus.OK);
  await once(duplex, 'end');
  expect(await stream.settled).toBeUndefined();
});

test('a Duplex whose reader is slow holds the daemon up, and loses nothing', async () => {
  const { daemon, call, stream } = await opened('domainOpenConsole');
  const { duplex } = stream;
  duplex.pause();
  const total = 200;
  const sending = (async () => {
    for (let index = 0; index < total; index += 1) {
      daemon.stream(call, MessageStatus.CONTINUE, new Uint8Array(65_536).fill(index));
      if (daemon.socket.writableNeedDrain) await once(daemon.socket, 'drain');
    }
    daemon.stream(call, MessageStatus.CONTINUE);
  })();
  let isSent = false;
  sending.then(
    () => {
      isSent = true;
    },
    () => {},
  );
  for (let count = 0; count < 500; count += 1) await turn();
  expect(isSent).toBe(false);
  const received = await all(duplex);
  await sending;
  expect(received).toHaveLength(total * 65_536);
  expect(received.subarray(-65_536).every((byte) => byte === total - 1)).toBe(true);
});

test('a Duplex passes the error of the daemon on', async () => {
  const { daemon, call, stream } = await opened('domainOpenChannel');
  const failed = once(stream.duplex.resume(), 'error');
  daemon.fail(call, 39, 'somebody else took the console', MessageType.STREAM);
  const [error] = await failed;
  expect(error).toMatchObject({ code: 'LIBVIRT_REMOTE', libvirtCode: 39 });
  await settle();
  expect(stream.duplex.destroyed).toBe(true);
});

test('a flood of tiny pieces fills the buffer as bulk data does', () => {
  let isHigh = false;
  const parts = new IncomingParts((high) => {
    isHigh = high;
  });
  for (let count = 0; count < highWaterBytes / 128; count += 1) parts.push({ type: 'data', data: Uint8Array.of(1) });
  expect(isHigh).toBe(true);
  parts.discard();
  expect(isHigh).toBe(false);
});
