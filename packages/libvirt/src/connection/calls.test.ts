import { describe, expect, test } from 'vitest';
import { connected, testDomain as dom, settle } from '../testing/scripted-daemon.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { closedError } from './connection.ts';

const state = { state: 1, reason: 2 };

describe('a call', () => {
  test('sends its arguments and gives the result by field name', async () => {
    const { daemon, connection } = await connected();
    const result = connection.call('domainGetState', { dom, flags: 3 });
    const call = await daemon.expect('domainGetState');
    expect(call.args).toEqual({ dom, flags: 3 });
    daemon.reply('domainGetState', call, state);
    expect(await result).toEqual(state);
  });

  test('rejects with the error of the daemon', async () => {
    const { daemon, connection } = await connected();
    const result = connection.call('domainGetState', { dom, flags: 0 });
    daemon.fail(await daemon.expect('domainGetState'), 42, 'Domain not found');
    await expect(result).rejects.toMatchObject({
      code: 'LIBVIRT_REMOTE',
      libvirtCode: 42,
      retryable: false,
      message: 'domainGetState: Domain not found',
    });
  });

  test('rejects with the error of the system that the daemon met', async () => {
    const { daemon, connection } = await connected();
    const result = connection.call('domainSuspend', { dom });
    daemon.fail(await daemon.expect('domainSuspend'), 38, 'cannot open', undefined, 2);
    await expect(result).rejects.toMatchObject({ libvirtCodeName: 'SYSTEM_ERROR', systemErrorNumber: 2 });
  });

  test.each([68, 86, 87, 97])('may be tried again after code %i', async (code) => {
    const { daemon, connection } = await connected();
    const result = connection.call('domainSuspend', { dom });
    daemon.fail(await daemon.expect('domainSuspend'), code);
    await expect(result).rejects.toMatchObject({ retryable: true });
  });

  test('survives replies in another order', async () => {
    const { daemon, connection } = await connected();
    const results = [1, 2, 3].map((flags) => connection.call('domainGetState', { dom, flags }));
    const calls = [await daemon.next(), await daemon.next(), await daemon.next()];
    for (const index of [2, 0, 1]) {
      daemon.reply('domainGetState', calls[index]!, { state: index, reason: 0 });
    }
    expect((await Promise.all(results)).map((result) => result.state)).toEqual([0, 1, 2]);
  });

  test('with bad arguments is refused before anything is sent', async () => {
    const { daemon, connection } = await connected();
    await expect(connection.call('domainLookupByName', { name: 7 as unknown as string })).rejects.toThrow('name: ');
    await expect(connection.call('toString' as 'connectGetType', {})).rejects.toThrow(TypeError);
    await expect(connection.call('connectGetType', {}, { timeoutMs: -1 })).rejects.toThrow(RangeError);
    expect(connection.inFlight).toBe(0);
    expect(daemon.received).toEqual([]);
  });

  test('of a procedure with a stream belongs to openStream, and the other way round', async () => {
    const { connection } = await connected();
    await expect(connection.call('domainScreenshot', { dom, screen: 0, flags: 0 })).rejects.toThrow('use openStream');
    await expect(connection.openStream('domainGetState' as 'domainScreenshot', {} as never)).rejects.toThrow(
      'use call',
    );
  });

  test('whose reply cannot be decoded rejects and leaves the others alone', async () => {
    const { daemon, connection } = await connected();
    const broken = connection.call('domainGetState', { dom, flags: 0 });
    const other = connection.call('connectGetType', {});
    const call = await daemon.expect('domainGetState');
    daemon.stream(call, 0, Uint8Array.of(0, 0, 0, 1), 1);
    daemon.reply('connectGetType', await daemon.expect('connectGetType'), { type: 'QEMU' });
    await expect(broken).rejects.toMatchObject({ code: 'LIBVIRT_PROTOCOL' });
    expect(await other).toEqual({ type: 'QEMU' });
  });

  test('whose reply has bytes left over rejects', async () => {
    const { daemon, connection } = await connected();
    const broken = connection.call('domainSuspend', { dom });
    daemon.stream(await daemon.expect('domainSuspend'), 0, new Uint8Array(4), 1);
    await expect(broken).rejects.toMatchObject({
      code: 'LIBVIRT_PROTOCOL',
      message: expect.stringContaining('left over'),
    });
  });

  test('with an error that has no text still says the code', async () => {
    const { daemon, connection } = await connected();
    const result = connection.call('domainSuspend', { dom });
    const call = await daemon.expect('domainSuspend');
    const error = new Uint8Array(44);
    error[3] = 55;
    daemon.stream(call, 1, error, 1);
    await expect(result).rejects.toMatchObject({ libvirtCode: 55, message: expect.stringContaining('error 55') });
  });
});

describe('the cap on calls in flight', () => {
  test('is 4; the rest waits in order', async () => {
    const { daemon, connection } = await connected();
    const results = Array.from({ length: 6 }, (_, flags) => connection.call('domainGetState', { dom, flags }));
    const calls = [await daemon.next(), await daemon.next(), await daemon.next(), await daemon.next()];
    await settle();
    expect(daemon.received).toEqual([]);
    expect(connection.inFlight).toBe(4);
    daemon.reply('domainGetState', calls[3]!, state);
    const fifth = await daemon.expect('domainGetState');
    expect(fifth.args.flags).toBe(4);
    await settle();
    expect(daemon.received).toEqual([]);
    for (const call of [...calls.slice(0, 3), fifth]) daemon.reply('domainGetState', call, state);
    daemon.reply('domainGetState', await daemon.expect('domainGetState'), state);
    await Promise.all(results);
    expect(connection.inFlight).toBe(0);
  });

  test('is an option', async () => {
    const { daemon, connection } = await connected({ maxInFlight: 1 });
    const results = [connection.call('connectGetType', {}), connection.call('connectGetType', {})];
    const first = await daemon.expect('connectGetType');
    await settle();
    expect(daemon.received).toEqual([]);
    daemon.reply('connectGetType', first, { type: 'a' });
    daemon.reply('connectGetType', await daemon.expect('connectGetType'), { type: 'b' });
    expect(await Promise.all(results)).toEqual([{ type: 'a' }, { type: 'b' }]);
  });

  test('bounds the queue too', async () => {
    const { connection } = await connected({ maxInFlight: 1 });
    const calls = Array.from({ length: 16_386 }, () => connection.call('connectGetType', {}));
    const overflow = calls.pop();
    for (const call of calls) call.catch(() => {});
    await expect(overflow).rejects.toMatchObject({ code: 'LIBVIRT_OVERFLOW' });
    await connection.close();
  });
});

describe('an abort', () => {
  const reason = new Error('not wanted');

  test('before the call sends nothing', async () => {
    const { daemon, connection } = await connected();
    const call = connection.call('connectGetType', {}, { signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
    await settle();
    expect(daemon.received).toEqual([]);
  });

  test('in the queue takes the call out of it', async () => {
    const { daemon, connection } = await connected({ maxInFlight: 1 });
    const first = connection.call('connectGetType', {});
    const controller = new AbortController();
    const second = connection.call('connectGetUri', {}, { signal: controller.signal });
    const third = connection.call('connectGetHostname', {});
    controller.abort(reason);
    await expect(second).rejects.toBe(reason);
    daemon.reply('connectGetType', await daemon.expect('connectGetType'), { type: 'a' });
    daemon.reply('connectGetHostname', await daemon.expect('connectGetHostname'), { hostname: 'h' });
    await Promise.all([first, third]);
  });

  test('in flight rejects at once, keeps the slot, and the late reply is swallowed', async () => {
    const { daemon, connection } = await connected({ maxInFlight: 1 });
    const controller = new AbortController();
    const aborted = connection.call('domainGetState', { dom, flags: 0 }, { signal: controller.signal });
    const call = await daemon.expect('domainGetState');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(connection.inFlight).toBe(1);
    const next = connection.call('connectGetType', {});
    await settle();
    expect(daemon.received).toEqual([]);
    daemon.reply('domainGetState', call, state);
    daemon.reply('connectGetType', await daemon.expect('connectGetType'), { type: 'a' });
    expect(await next).toEqual({ type: 'a' });
    expect(connection.inFlight).toBe(0);
  });

  test('in flight swallows a late error as well', async () => {
    const { daemon, connection } = await connected();
    const controller = new AbortController();
    const aborted = connection.call('domainSuspend', { dom }, { signal: controller.signal });
    const call = await daemon.expect('domainSuspend');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    daemon.fail(call, 55);
    await settle();
    expect(connection.inFlight).toBe(0);
  });

  test('after the reply changes nothing, and no listener stays on the signal', async () => {
    const { daemon, connection } = await connected();
    const { signal, added } = countingSignal();
    const result = connection.call('connectGetType', {}, { signal });
    daemon.reply('connectGetType', await daemon.expect('connectGetType'), { type: 'a' });
    await result;
    expect(added()).toBe(0);
  });
});

function countingSignal(): { signal: AbortSignal; added: () => number } {
  const { signal } = new AbortController();
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = ((...parameters: Parameters<typeof add>) => {
    count += 1;
    add(...parameters);
  }) as typeof signal.addEventListener;
  signal.removeEventListener = ((...parameters: Parameters<typeof remove>) => {
    count -= 1;
    remove(...parameters);
  }) as typeof signal.removeEventListener;
  return { signal, added: () => count };
}

describe('a deadline', () => {
  test.each([
    ['of a quick call is callTimeoutMs', 'domainSuspend', 200],
    ['of a slow call is slowCallTimeoutMs', 'domainCreate', 900],
  ] as const)('%s', async (_text, name, afterMs) => {
    const clock = new VirtualClock();
    const { daemon, connection } = await connected({ clock, callTimeoutMs: 200, slowCallTimeoutMs: 900 });
    const result = connection.call(name, { dom });
    await daemon.expect(name);
    clock.advance(afterMs - 1);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    await expect(result).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT', retryable: true });
    expect(clock.pending).toBe(0);
  });

  test('can be set per call, also to never', async () => {
    const clock = new VirtualClock();
    const { daemon, connection } = await connected({ clock });
    const short = connection.call('connectGetType', {}, { timeoutMs: 5 });
    const endless = connection.call('connectGetUri', {}, { timeoutMs: Number.POSITIVE_INFINITY });
    clock.advance(5);
    await expect(short).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT' });
    clock.advance(1_000_000);
    await daemon.expect('connectGetType');
    daemon.reply('connectGetUri', await daemon.expect('connectGetUri'), { uri: 'x' });
    expect(await endless).toEqual({ uri: 'x' });
  });

  test('counts the time in the queue', async () => {
    const clock = new VirtualClock();
    const { connection } = await connected({ clock, maxInFlight: 1 });
    const first = connection.call('connectGetType', {}, { timeoutMs: 1000 });
    first.catch(() => {});
    const second = connection.call('connectGetType', {}, { timeoutMs: 10 });
    clock.advance(10);
    await expect(second).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT' });
  });
});

test('the error of a close of this side is not retryable', () => {
  expect(closedError()).toMatchObject({ code: 'LIBVIRT_CLOSED', retryable: false });
});

test('the text of a daemon reaches an error bounded and without control characters', async () => {
  const { daemon, connection } = await connected();
  const call = connection.call('connectGetType', {});
  const outcome = call.catch((error: unknown) => error);
  daemon.fail(await daemon.expect('connectGetType'), 1, `bad\u001b[2J\u0007\n\u202ename ${'x'.repeat(100_000)}`);
  const { message } = (await outcome) as Error;
  expect(message).toMatch(/^connectGetType: bad \[2J name x+\.\.\.$/);
  expect(message.length).toBeLessThan(5000);
});
