import { expect, test } from 'vitest';
import { testDomain as dom, ScriptedDaemon } from '../testing/scripted-daemon.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { openClient } from './client.ts';

async function opened() {
  const clock = new VirtualClock();
  const daemons = [new ScriptedDaemon(), new ScriptedDaemon()] as const;
  const left = [...daemons];
  const opening = openClient({
    uri: 'test:///default',
    dial: (options) => (left.shift() as ScriptedDaemon).dial(options),
    keepalive: false,
    clock,
  });
  await daemons[0].handshake();
  return { client: await opening, clock, slow: daemons[1] };
}

test('the deadline of a slow call covers the opening of the second connection', async () => {
  const { client, clock, slow } = await opened();
  const call = client.call('domainCreate', { dom }, { timeoutMs: 100 });
  await slow.expect('authList');
  clock.advance(100);
  await expect(call).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT' });
});

test('what the opening took of the deadline of a slow call is gone', async () => {
  const { client, clock, slow } = await opened();
  const call = client.call('domainCreate', { dom }, { timeoutMs: 100 });
  slow.reply('authList', await slow.expect('authList'), { types: [0] });
  const open = await slow.expect('connectOpen');
  clock.advance(60);
  slow.reply('connectOpen', open, {});
  await slow.expect('domainCreate');
  clock.advance(40);
  await expect(call).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT' });
});

test('a bad deadline of a slow call is refused before anything is opened', async () => {
  const { client, slow } = await opened();
  await expect(client.call('domainCreate', { dom }, { timeoutMs: 0 })).rejects.toThrow(RangeError);
  expect(slow.received).toHaveLength(0);
});
