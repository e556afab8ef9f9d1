import {
  type Client,
  connect,
  DomainEventType,
  DomainMetadataType,
  DomainShutoffReason,
  DomainState,
  ErrorNumber,
  isLibvirtError,
  openClient,
  StoragePoolEventType,
  StoragePoolState,
  typedParams,
  uuidFromString,
  uuidToString,
} from '@warmvm/libvirt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PrivateLibvirtd, startPrivateLibvirtd } from './support/private-libvirtd.ts';

let daemon: PrivateLibvirtd;
let uri = '';
let client: Client;

beforeAll(async () => {
  daemon = await startPrivateLibvirtd();
  uri = `test:///default?socket=${daemon.socketPath}`;
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  client = await openClient({ uri });
});

afterEach(async () => {
  await client?.close();
});

const domainXml = (name: string) =>
  `<domain type="test"><name>${name}</name><memory>8192</memory><os><type>hvm</type></os></domain>`;

async function testDomain() {
  return (await client.call('domainLookupByName', { name: 'test' })).dom;
}

describe('the connection', () => {
  test('tells about the daemon and the driver', async () => {
    expect((await client.call('connectGetLibVersion', {})).libVer).toBeGreaterThanOrEqual(7_000_000n);
    expect(await client.call('connectGetUri', {})).toEqual({ uri: 'test:///default' });
    expect((await client.call('connectGetType', {})).type).toBe('TEST');
    expect((await client.call('connectGetCapabilities', {})).capabilities).toContain('<capabilities>');
    expect((await client.call('nodeGetInfo', {})).cpus).toBeGreaterThan(0);
  });

  test('can be read-only', async () => {
    await using readOnly = await connect({ uri, readOnly: true });
    const { dom } = await readOnly.call('domainLookupByName', { name: 'test' });
    await expect(readOnly.call('domainSuspend', { dom })).rejects.toMatchObject({
      libvirtCode: ErrorNumber.OPERATION_DENIED,
    });
  });

  test('answers many calls at once, each with its own reply', async () => {
    const dom = await testDomain();
    const calls = Array.from({ length: 300 }, (_, index) =>
      index % 2 === 0
        ? client.call('domainGetState', { dom, flags: 0 }).then(({ state }) => state)
        : client.call('domainLookupByName', { name: 'test' }).then((found) => found.dom.name),
    );
    const answers = await Promise.all(calls);
    answers.forEach((answer, index) => {
      expect(answer).toBe(index % 2 === 0 ? DomainState.RUNNING : 'test');
    });
  });

  test('closes without an error', async () => {
    await client.close();
    expect(await client.closed).toBeUndefined();
    await expect(client.call('connectGetType', {})).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
  });

  test('finds a driver that does not exist refused', async () => {
    const opening = connect({ uri: `nonsense:///x?socket=${daemon.socketPath}` });
    await expect(opening).rejects.toMatchObject({ code: 'LIBVIRT_REMOTE' });
  });
});

describe('domains', () => {
  test('are looked up by name, id and UUID', async () => {
    const dom = await testDomain();
    expect(await client.call('domainLookupById', { id: dom.id })).toEqual({ dom });
    const uuid = uuidFromString(uuidToString(dom.uuid));
    expect(await client.call('domainLookupByUuid', { uuid })).toEqual({ dom });
    const { domains } = await client.call('connectListAllDomains', { needResults: 1, flags: 0 });
    expect(domains).toContainEqual(dom);
  });

  test('that do not exist are told by their code', async () => {
    const error = await client.call('domainLookupByName', { name: 'absent' }).catch((caught: unknown) => caught);
    expect(isLibvirtError(error, ErrorNumber.NO_DOMAIN)).toBe(true);
  });

  test('go through their life, and every step is an event', async () => {
    await using events = await client.domainEvents('lifecycle');
    const { dom } = await client.call('domainDefineXmlFlags', { xml: domainXml('life'), flags: 0 });
    await client.call('domainCreateWithFlags', { dom, flags: 0 });
    await client.call('domainSuspend', { dom });
    expect((await client.call('domainGetState', { dom, flags: 0 })).state).toBe(DomainState.PAUSED);
    await client.call('domainResume', { dom });
    await client.call('domainDestroyFlags', { dom, flags: 0 });
    expect(await client.call('domainGetState', { dom, flags: 0 })).toEqual({
      state: DomainState.SHUTOFF,
      reason: DomainShutoffReason.DESTROYED,
    });
    await client.call('domainUndefineFlags', { dom, flags: 0 });
    const seen: number[] = [];
    for await (const { dom: subject, event } of events) {
      expect(uuidToString(subject.uuid)).toBe(uuidToString(dom.uuid));
      seen.push(event);
      if (event === DomainEventType.UNDEFINED) break;
    }
    const { DEFINED, STARTED, SUSPENDED, RESUMED, STOPPED, UNDEFINED } = DomainEventType;
    expect(seen).toEqual([DEFINED, STARTED, SUSPENDED, RESUMED, STOPPED, UNDEFINED]);
  });

  test('have statistics', async () => {
    const dom = await testDomain();
    const { retStats } = await client.call('connectGetAllDomainStats', { doms: [dom], stats: 0, flags: 0 });
    expect(typedParams(retStats[0]?.params ?? []).get('state.state')).toBe(DomainState.RUNNING);
    expect((await client.call('domainGetInfo', { dom })).cpuTime).toBeTypeOf('bigint');
    const { ifaces } = await client.call('domainInterfaceAddresses', { dom, source: 0, flags: 0 });
    expect(ifaces[0]?.addrs[0]?.prefix).toBe(24);
  });

  test('carry metadata, and a change of it is an event', async () => {
    const dom = await testDomain();
    await using events = await client.domainEvents('metadataChange', { dom });
    const uri = 'urn:example:owner';
    const owner = { dom, type: DomainMetadataType.ELEMENT, uri, flags: 0 };
    await client.call('domainSetMetadata', { ...owner, metadata: '<owner id="7"/>', key: 'own' });
    expect((await events.next()).value).toMatchObject({ type: DomainMetadataType.ELEMENT, nsuri: uri });
    expect((await client.call('domainGetMetadata', owner)).metadata).toContain('id="7"');
    await client.call('domainSetMetadata', owner);
    await expect(client.call('domainGetMetadata', owner)).rejects.toMatchObject({
      libvirtCode: ErrorNumber.NO_DOMAIN_METADATA,
    });
  });

  test('have snapshots', async () => {
    const dom = await testDomain();
    const xmlDesc = '<domainsnapshot><name>first</name></domainsnapshot>';
    const { snap } = await client.call('domainSnapshotCreateXml', { dom, xmlDesc, flags: 0 });
    expect(snap.name).toBe('first');
    const { snapshots } = await client.call('domainListAllSnapshots', { dom, needResults: 1, flags: 0 });
    expect(snapshots.map(({ name }) => name)).toEqual(['first']);
    expect((await client.call('domainSnapshotGetXmlDesc', { snap, flags: 0 })).xml).toContain('<name>first</name>');
    expect((await client.call('domainSnapshotCurrent', { dom, flags: 0 })).snap.name).toBe('first');
    await client.call('domainSuspend', { dom });
    await client.call('domainRevertToSnapshot', { snap, flags: 0 });
    expect((await client.call('domainGetState', { dom, flags: 0 })).state).toBe(DomainState.RUNNING);
    await client.call('domainSnapshotDelete', { snap, flags: 0 });
    const lookup = client.call('domainSnapshotLookupByName', { dom, name: 'first', flags: 0 });
    await expect(lookup).rejects.toMatchObject({ libvirtCode: ErrorNumber.NO_DOMAIN_SNAPSHOT });
  });

  test('are photographed through a stream', async () => {
    await using stream = await client.openStream('domainScreenshot', { dom: await testDomain(), screen: 0, flags: 0 });
    expect(stream.reply.mime).toBe('image/png');
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    await stream.finish();
    const image = Buffer.concat(chunks);
    expect(image.subarray(1, 4).toString()).toBe('PNG');
    expect(image.subarray(-8, -4).toString()).toBe('IEND');
  });

  test('are photographed whole every time, also when the data overtakes the reply', async () => {
    await using connection = await connect({ uri });
    const args = { dom: await testDomain(), screen: 0, flags: 0 };
    const sizes = new Set<number>();
    for (let round = 0; round < 500; round += 1) {
      const stream = await connection.openStream('domainScreenshot', args);
      let size = 0;
      for await (const chunk of stream) size += chunk.length;
      await stream.finish();
      sizes.add(size);
    }
    expect(sizes.size).toBe(1);
    expect(sizes).not.toContain(0);
  });

  test('are photographed again after a stream was given up', async () => {
    const args = { dom: await testDomain(), screen: 0, flags: 0 };
    await (await client.openStream('domainScreenshot', args)).abort();
    await using connection = await connect({ uri });
    await (await connection.openStream('domainScreenshot', args)).abort();
    const stream = await connection.openStream('domainScreenshot', args);
    let size = 0;
    for await (const chunk of stream.duplex) size += (chunk as Buffer).length;
    expect(size).toBeGreaterThan(1000);
    expect(await stream.settled).toBeUndefined();
  });
});

describe('storage', () => {
  test('pools and volumes are made, listed and removed, and it shows as events', async () => {
    await using events = await client.storagePoolEvents('lifecycle');
    const xml = '<pool type="dir"><name>box</name><target><path>/box</path></target></pool>';
    const { pool } = await client.call('storagePoolDefineXml', { xml, flags: 0 });
    await client.call('storagePoolBuild', { pool, flags: 0 });
    await client.call('storagePoolCreate', { pool, flags: 0 });
    expect((await client.call('storagePoolGetInfo', { pool })).state).toBe(StoragePoolState.RUNNING);
    const volumeXml = '<volume><name>disk</name><capacity>1048576</capacity></volume>';
    const { vol } = await client.call('storageVolCreateXml', { pool, xml: volumeXml, flags: 0 });
    expect((await client.call('storageVolGetInfo', { vol })).capacity).toBe(1_048_576n);
    expect((await client.call('storageVolGetPath', { vol })).name).toBe('/box/disk');
    expect(await client.call('storageVolLookupByPath', { path: '/box/disk' })).toEqual({ vol });
    const { vols } = await client.call('storagePoolListAllVolumes', { pool, needResults: 1, flags: 0 });
    expect(vols).toEqual([vol]);
    const cloneXml = '<volume><name>clone</name><capacity>1048576</capacity></volume>';
    await client.call('storageVolCreateXmlFrom', { pool, xml: cloneXml, clonevol: vol, flags: 0 });
    expect((await client.call('storagePoolNumOfVolumes', { pool })).num).toBe(2);
    await client.call('storageVolDelete', { vol, flags: 0 });
    await expect(client.call('storageVolLookupByName', { pool, name: 'disk' })).rejects.toMatchObject({
      libvirtCode: ErrorNumber.NO_STORAGE_VOL,
    });
    await client.call('storagePoolDestroy', { pool });
    await client.call('storagePoolUndefine', { pool });
    const seen: number[] = [];
    for await (const { event } of events) {
      seen.push(event);
      if (event === StoragePoolEventType.UNDEFINED) break;
    }
    expect(seen[0]).toBe(StoragePoolEventType.DEFINED);
    expect(seen).toContain(StoragePoolEventType.STARTED);
  });
});

describe('networks', () => {
  test('can be looked at', async () => {
    const { nets } = await client.call('connectListAllNetworks', { needResults: 1, flags: 0 });
    const net = nets.find(({ name }) => name === 'default');
    if (!net) throw new Error('the test driver has a network called default');
    expect((await client.call('networkIsActive', { net })).active).toBe(1);
    expect((await client.call('networkGetXmlDesc', { net, flags: 0 })).xml).toContain('<network>');
    await using events = await client.networkEvents('lifecycle', { net });
    expect(events).toBeDefined();
  });
});

describe('trouble', () => {
  test('of an overloaded subscription does not stop the calls', async () => {
    const dom = await testDomain();
    await using events = await client.domainEvents('lifecycle', { dom });
    for (let round = 0; round < 520; round += 1) {
      await client.call('domainSuspend', { dom });
      await client.call('domainResume', { dom });
    }
    const read = async () => {
      let count = 0;
      for await (const _ of events) count += 1;
      return count;
    };
    await expect(read()).rejects.toMatchObject({ code: 'LIBVIRT_OVERFLOW' });
    expect((await client.call('domainGetState', { dom, flags: 0 })).state).toBe(DomainState.RUNNING);
  });

  test('of a daemon that dies ends calls, subscriptions and the client', async () => {
    await using mortal = await startPrivateLibvirtd();
    const own = await openClient({ uri: `test:///default?socket=${mortal.socketPath}` });
    const events = await own.domainEvents('lifecycle');
    const next = events.next();
    next.catch(() => {});
    await mortal.kill();
    expect(await own.closed).toMatchObject({ code: 'LIBVIRT_CLOSED', retryable: true });
    await expect(next).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
    await expect(own.call('connectGetType', {})).rejects.toMatchObject({ code: 'LIBVIRT_CLOSED' });
    await own.close();
    const again = connect({ uri: `test:///default?socket=${mortal.socketPath}` });
    await expect(again).rejects.toMatchObject({ code: 'LIBVIRT_UNREACHABLE' });
  });
});
