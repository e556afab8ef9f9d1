import { describe, expect, test } from 'vitest';
import { encodePacket, Program } from '../frame/index.ts';
import { connected, type ScriptedDaemon, settle } from '../testing/scripted-daemon.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Keepalive } from './keepalive.ts';

const keepalive = { intervalMs: 100, count: 3 };

const packet = (procedure: number) =>
  encodePacket({ program: Program.KEEPALIVE, procedure, type: 2, serial: 0, status: 0 });

async function quiet(): Promise<{
  clock: VirtualClock;
  daemon: ScriptedDaemon;
  connection: Awaited<ReturnType<typeof connected>>['connection'];
}> {
  const clock = new VirtualClock();
  return { clock, ...(await connected({ clock, keepalive })) };
}

describe('keepalive', () => {
  test('pings after an interval of silence', async () => {
    const { clock, daemon } = await quiet();
    clock.advance(100);
    const ping = await daemon.next();
    expect(ping).toMatchObject({ program: Program.KEEPALIVE, procedure: 1, type: 2, serial: 0, status: 0 });
    expect(ping.payload).toHaveLength(0);
  });

  test('ends the connection after the given number of unanswered pings', async () => {
    const { clock, daemon, connection } = await quiet();
    const call = connection.call('connectGetType', {});
    call.catch(() => {});
    clock.advance(399);
    await settle();
    expect(daemon.received.filter(({ program }) => program === Program.KEEPALIVE)).toHaveLength(3);
    clock.advance(1);
    expect(await connection.closed).toMatchObject({ code: 'LIBVIRT_CLOSED', retryable: true });
    await expect(call).rejects.toThrow('keepalive');
    expect(clock.pending).toBe(0);
  });

  test('takes any packet as a sign of life', async () => {
    const { clock, daemon, connection } = await quiet();
    for (let round = 0; round < 10; round += 1) {
      clock.advance(250);
      daemon.send(packet(2));
      await settle();
    }
    const call = connection.call('connectGetType', {});
    for (let next = await daemon.next(); ; next = await daemon.next()) {
      if (next.program === Program.KEEPALIVE) continue;
      daemon.reply('connectGetType', next, { type: 'x' });
      break;
    }
    expect(await call).toEqual({ type: 'x' });
  });

  test('answers a ping of the daemon', async () => {
    const { daemon } = await quiet();
    daemon.send(packet(1));
    expect(await daemon.next()).toMatchObject({ program: Program.KEEPALIVE, procedure: 2 });
  });

  test('proves nothing while 5 calls are out, since the daemon does not read then', async () => {
    const clock = new VirtualClock();
    const { connection } = await connected({ clock, keepalive, maxInFlight: 5 });
    const calls = Array.from({ length: 5 }, () => connection.call('connectGetType', {}, { timeoutMs: 100_000 }));
    for (const call of calls) call.catch(() => {});
    clock.advance(5000);
    await settle();
    expect(connection.inFlight).toBe(5);
    await Promise.all([connection.close(), Promise.resolve(clock.advance(1000))]);
  });

  test('proves nothing while this side does not read', () => {
    const clock = new VirtualClock();
    const written: Uint8Array[] = [];
    let isReadingHeldUp = true;
    let isDead = false;
    const subject = new Keepalive(keepalive, {
      clock,
      write: (bytes) => written.push(bytes),
      inFlight: () => 0,
      isReadingHeldUp: () => isReadingHeldUp,
      isWritingHeldUp: () => false,
      onDead: () => {
        isDead = true;
      },
    });
    clock.advance(5000);
    expect(written).toHaveLength(0);
    isReadingHeldUp = false;
    clock.advance(400);
    expect(written).toHaveLength(3);
    expect(isDead).toBe(true);
    subject.stop();
  });

  test('counts a peer that takes no bytes as silent, without heaping pings up for it', () => {
    const clock = new VirtualClock();
    const written: Uint8Array[] = [];
    const deaths: unknown[] = [];
    const subject = new Keepalive(keepalive, {
      clock,
      write: (bytes) => written.push(bytes),
      inFlight: () => 0,
      isReadingHeldUp: () => false,
      isWritingHeldUp: () => true,
      onDead: (error) => deaths.push(error),
    });
    clock.advance(300);
    subject.onSignOfLife();
    clock.advance(399);
    expect(deaths).toHaveLength(0);
    clock.advance(1);
    expect(deaths).toHaveLength(1);
    expect(written).toHaveLength(0);
  });

  test('stops with the connection', async () => {
    const { clock, daemon, connection } = await quiet();
    const closing = connection.close();
    daemon.reply('connectClose', await daemon.expect('connectClose'), {});
    await closing;
    expect(clock.pending).toBe(0);
  });
});
