import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { connect } from './connection/connect.ts';
import { goldenSession } from './testing/golden-session.ts';
import { settle } from './testing/scripted-daemon.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

/** Plays the daemon of the recorded session: answers when the client has sent exactly what it sent then. */
function replay(chunkBytes: number) {
  const [socket, client] = duplexPair();
  const left = [...goldenSession];
  const mismatches: string[] = [];
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const expected = left[0]?.bytes ?? Buffer.alloc(0);
    if (!received.equals(expected.subarray(0, received.length))) mismatches.push(received.toString('hex'));
    if (received.length < expected.length) return;
    received = Buffer.alloc(0);
    left.shift();
    const answer = left.shift()?.bytes ?? Buffer.alloc(0);
    for (let offset = 0; offset < answer.length; offset += chunkBytes) {
      socket.write(answer.subarray(offset, offset + chunkBytes));
    }
  });
  return { client, mismatches, left };
}

test.each([1, 5, 28, 1_000_000])('a recorded session replays to the byte, in chunks of %i', async (chunkBytes) => {
  const { client, mismatches, left } = replay(chunkBytes);
  const clock = new VirtualClock();
  const connection = await connect({
    uri: 'test:///default?socket=/anywhere',
    dial: () => Promise.resolve(client),
    keepalive: { intervalMs: 300, count: 5 },
    clock,
  });
  expect(await connection.call('connectGetLibVersion', {})).toEqual({ libVer: 9_000_000n });
  const { dom } = await connection.call('domainLookupByName', { name: 'test' });
  expect(dom).toMatchObject({ name: 'test', id: 1 });
  await expect(connection.call('domainLookupByName', { name: 'no' })).rejects.toMatchObject({
    code: 'LIBVIRT_REMOTE',
    libvirtCode: 42,
    libvirtCodeName: 'NO_DOMAIN',
    libvirtDomain: 12,
    libvirtLevel: 2,
    message: expect.stringContaining('Domain not found'),
  });
  expect(await connection.call('domainGetState', { dom, flags: 0 })).toEqual({ state: 1, reason: 0 });
  expect(await connection.call('domainGetInfo', { dom })).toMatchObject({ state: 1, maxMem: 8_388_608n, nrVirtCpu: 2 });
  const node = await connection.call('nodeGetInfo', {});
  expect(node).toMatchObject({ memory: 3_145_728n, cpus: 16 });
  expect(node.model).toMatch(/^[\w-]+$/);
  const { domains } = await connection.call('connectListAllDomains', { needResults: 1, flags: 0 });
  expect(domains).toEqual([dom]);
  const stats = await connection.call('connectGetAllDomainStats', { doms: [dom], stats: 0, flags: 0 });
  expect(stats.retStats[0]?.params[0]).toEqual({ field: 'state.state', value: { type: 'int', value: 1 } });
  const { ifaces } = await connection.call('domainInterfaceAddresses', { dom, source: 0, flags: 0 });
  expect(ifaces[0]?.addrs[0]).toMatchObject({ type: 0, prefix: 24 });
  const lifecycle = await connection.domainEvents('lifecycle', { dom });
  const pools = await connection.storagePoolEvents('lifecycle');
  await connection.call('domainSuspend', { dom });
  expect((await lifecycle.next()).value).toMatchObject({ event: 3, detail: 0, dom: { name: 'test' } });
  await connection.call('domainResume', { dom });
  expect((await lifecycle.next()).value).toMatchObject({ event: 4, detail: 0 });
  const { pool } = await connection.call('storagePoolLookupByName', { name: 'default-pool' });
  expect(await connection.call('storagePoolGetInfo', { pool })).toMatchObject({ state: 2 });
  await connection.call('storagePoolDestroy', { pool });
  expect((await pools.next()).value).toMatchObject({ event: 3, pool: { name: 'default-pool' } });
  await connection.call('domainSetMetadata', { dom, type: 1, metadata: 'a title', flags: 0 });
  expect(await connection.call('domainGetMetadata', { dom, type: 1, flags: 0 })).toEqual({ metadata: 'a title' });
  await lifecycle[Symbol.asyncDispose]();
  clock.advance(300);
  await settle();
  await connection.close();
  expect(await connection.closed).toBeUndefined();
  expect(mismatches).toEqual([]);
  expect(left).toEqual([]);
});
