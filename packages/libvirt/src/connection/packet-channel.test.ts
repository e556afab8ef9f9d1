import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { LibvirtError } from '../error.ts';
import { encodePacket } from '../frame/index.ts';
import { settle } from '../testing/scripted-daemon.ts';
import { PacketChannel } from './packet-channel.ts';

const packet = encodePacket({ program: 1, procedure: 1, type: 2, serial: 0, status: 0 });

function channel(onPacket: () => void = () => {}) {
  const [socket, duplex] = duplexPair();
  const lost: LibvirtError[] = [];
  const subject = new PacketChannel(duplex, { onPacket, onDrain: () => {}, onLost: (error) => lost.push(error) });
  return { socket, duplex, lost, subject };
}

test('an error of a handler ends the channel with a protocol error that keeps it as cause', async () => {
  const cause = new Error('odd');
  const { socket, lost } = channel(() => {
    throw cause;
  });
  socket.write(packet);
  await settle();
  expect(lost).toHaveLength(1);
  expect(lost[0]).toMatchObject({ code: 'LIBVIRT_PROTOCOL', cause });
});

test('a libvirt error of the stream itself is passed on as it is', async () => {
  const { duplex, lost } = channel();
  const cause = new LibvirtError('LIBVIRT_DENIED', 'refused');
  duplex.destroy(cause);
  await settle();
  expect(lost).toEqual([cause]);
});

test('nothing is reported, read or written after destroy', async () => {
  let packets = 0;
  const { socket, duplex, lost, subject } = channel(() => {
    packets += 1;
    subject.destroy();
  });
  socket.write(Buffer.concat([packet, packet]));
  await settle();
  expect(packets).toBe(1);
  subject.destroy();
  expect(subject.write(packet)).toBe(true);
  duplex.emit('error', new Error('late'));
  expect(lost).toEqual([]);
});

test('reading goes on when the last of several consumers resumes', () => {
  const { duplex, subject } = channel();
  const [first, second] = [{}, {}];
  subject.pause(first);
  subject.pause(second);
  subject.resume(first);
  expect(duplex.isPaused()).toBe(true);
  expect(subject.isPaused).toBe(true);
  subject.resume(second);
  expect(duplex.isPaused()).toBe(false);
});
