import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import {
  type Client,
  ConnectListAllNodeDevicesFlags,
  DomainModificationImpact,
  ErrorNumber,
  NetworkUpdateCommand,
  NetworkUpdateFlags,
  NetworkUpdateSection,
  openClient,
  SecretUsageType,
  toJson,
  uuidToString,
} from '@warmvm/libvirt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PrivateLibvirtd, startPrivateLibvirtd } from './support/private-libvirtd.ts';

/** Debian's own Python: the bindings belong to it. */
const python = '/usr/bin/python3';

let daemon: PrivateLibvirtd;
let client: Client;

beforeAll(async () => {
  daemon = await startPrivateLibvirtd();
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  await client?.close();
});

/** What libvirt's own client makes of an expression, where `c` is its connection and `d` the domain, on the same daemon. */
async function oracle(driver: string, expression: string, domain: string | undefined = undefined): Promise<unknown> {
  if (!existsSync(python)) throw new Error(`${python} is missing; install python3-libvirt`);
  const [scheme, path] = driver.split('://');
  const program = [
    'import json, libvirt, sys',
    `c = libvirt.open(${JSON.stringify(`${scheme}+unix://${path}?socket=${daemon.socketPath}`)})`,
    domain === undefined ? '' : `d = c.lookupByName(${JSON.stringify(domain)})`,
    `print(json.dumps(${expression}))`,
  ].join('\n');
  return JSON.parse((await promisify(execFile)(python, ['-c', program])).stdout);
}

describe('the test driver', () => {
  const driver = 'test:///default';
  beforeEach(async () => {
    client = await openClient({ uri: `${driver}?socket=${daemon.socketPath}` });
  });

  test('defines, starts, lists, stops and removes networks as libvirt sees it', async () => {
    await using events = await client.networkEvents('lifecycle');
    const net = await client.call('networkDefineXml', {
      xml: '<network><name>objects</name><bridge name="objbr"/><ip address="10.99.0.1" netmask="255.255.255.0"/></network>',
    });
    expect(await oracle(driver, '[n.name() for n in c.listAllNetworks()]')).toContain('objects');
    await client.call('networkCreate', net);
    await client.call('networkSetAutostart', { ...net, autostart: 1 });
    const found = await oracle(
      driver,
      '[c.networkLookupByName("objects").UUIDString(), c.networkLookupByName("objects").isActive(), c.networkLookupByName("objects").autostart()]',
    );
    expect(found).toEqual([uuidToString(net.net.uuid), 1, 1]);
    expect((await client.call('connectListNetworks', {})).names).toContain('objects');
    expect((await client.call('networkGetXmlDesc', net)).xml).toBe(
      await oracle(driver, 'c.networkLookupByName("objects").XMLDesc()'),
    );
    await client.call('networkDestroy', net);
    await client.call('networkUndefine', net);
    await expect(client.call('networkLookupByName', { name: 'objects' })).rejects.toMatchObject({
      libvirtCode: ErrorNumber.NO_NETWORK,
    });
    const seen = [await events.next(), await events.next(), await events.next(), await events.next()];
    expect(seen.map(({ value }) => value?.event)).toEqual([0, 2, 3, 1]);
  });

  test('lists devices and interfaces of its host as libvirt sees it', async () => {
    const { devices } = await client.call('connectListAllNodeDevices', {});
    const theirs = (await oracle(driver, 'sorted(x.name() for x in c.listAllDevices())')) as string[];
    expect(devices.map(({ name }) => name).sort()).toEqual(theirs);
    const flags = ConnectListAllNodeDevicesFlags.CAP_SYSTEM;
    expect((await client.call('connectListAllNodeDevices', { flags })).devices).toEqual([{ name: 'computer' }]);
    const { ifaces } = await client.call('connectListAllInterfaces', {});
    expect(ifaces.map(({ name, mac }) => [name, mac])).toEqual(
      await oracle(driver, '[[x.name(), x.MACString()] for x in c.listAllInterfaces()]'),
    );
  });

  test.each([
    ['domainGetMemoryParameters', 'd.memoryParameters()'],
    ['domainGetBlkioParameters', 'd.blkioParameters()'],
    ['domainGetNumaParameters', 'd.numaParameters()'],
  ] as const)('returns with one call of %s what libvirt returns with two', async (name, expression) => {
    const { dom } = await client.call('domainLookupByName', { name: 'test' });
    const ours = toJson(await client.parameters(name, { dom })) as Readonly<Record<string, unknown>>;
    const theirs = (await oracle(driver, expression, 'test')) as Readonly<Record<string, unknown>>;
    expect(Object.fromEntries(Object.entries(ours).map(([field, value]) => [field, String(value)]))).toEqual(
      Object.fromEntries(Object.entries(theirs).map(([field, value]) => [field, String(value)])),
    );
  });

  test('pins the emulator, and makes checkpoints', async () => {
    const { dom } = await client.call('domainLookupByName', { name: 'test' });
    await client.call('domainPinEmulator', { dom, cpumap: Uint8Array.of(2) });
    const { cpumaps } = await client.call('domainGetEmulatorPinInfo', { dom, maplen: 2 });
    expect([...cpumaps]).toEqual([2, 0]);
    expect(((await oracle(driver, 'd.emulatorPinInfo()', 'test')) as boolean[]).indexOf(true)).toBe(1);
    const xmlDesc = '<domaincheckpoint><name>first</name></domaincheckpoint>';
    const { checkpoint } = await client.call('domainCheckpointCreateXml', { dom, xmlDesc });
    expect(await oracle(driver, '[x.getName() for x in d.listAllCheckpoints()]', 'test')).toEqual(['first']);
    await client.call('domainCheckpointDelete', { checkpoint });
    expect((await client.call('domainListAllCheckpoints', { dom })).checkpoints).toEqual([]);
  });

  test('says which numbers the host has, without being asked twice', async () => {
    const stats = await client.parameters('nodeGetCpuStats', {});
    const theirs = (await oracle(driver, 'sorted(c.getCPUStats(-1))')) as string[];
    expect([...stats.keys()].sort()).toEqual(theirs);
  });

  test('hears every subscriber to one kind, and bears a hundred that come and go', async () => {
    for (let round = 0; round < 100; round += 1) {
      const controller = new AbortController();
      const [first, second] = await Promise.all([
        client.domainEvents('lifecycle', { signal: controller.signal }),
        client.domainEvents('lifecycle'),
      ]);
      expect(first).not.toBe(second);
      controller.abort(new Error('not wanted'));
      void second[Symbol.asyncDispose]();
    }
  });
});

describe('the QEMU driver of a session', () => {
  const driver = 'qemu:///session';
  beforeEach(async () => {
    client = await openClient({ uri: `${driver}?socket=${daemon.socketPath}` });
  });

  test('keeps a secret, and reports it without its value', async () => {
    await using events = await client.secretEvents('lifecycle');
    await using changes = await client.secretEvents('valueChanged');
    const xml = '<secret ephemeral="no" private="no"><usage type="ceph"><name>objects</name></usage></secret>';
    const { secret } = await client.call('secretDefineXml', { xml });
    await client.call('secretSetValue', { secret, value: Buffer.from('hunter2') });
    const lookup = `c.secretLookupByUsage(${SecretUsageType.CEPH}, "objects")`;
    expect(await oracle(driver, `[${lookup}.UUIDString(), ${lookup}.value().decode()]`)).toEqual([
      uuidToString(secret.uuid),
      'hunter2',
    ]);
    expect(Buffer.from((await client.call('secretGetValue', { secret })).value).toString()).toBe('hunter2');
    expect((await client.call('connectListAllSecrets', {})).secrets).toContainEqual(secret);
    await client.call('secretUndefine', { secret });
    expect((await changes.next()).value).toEqual({ secret });
    expect([(await events.next()).value?.event, (await events.next()).value?.event]).toEqual([0, 1]);
  });

  test('changes a network, and pins processors of a domain under emulation', async () => {
    const net = await client.call('networkDefineXml', {
      xml: '<network><name>objects</name><bridge name="objbr"/><ip address="10.99.0.1" netmask="255.255.255.0"><dhcp><range start="10.99.0.2" end="10.99.0.9"/></dhcp></ip></network>',
    });
    await client.call('networkUpdate', {
      ...net,
      command: NetworkUpdateCommand.ADD_LAST,
      section: NetworkUpdateSection.IP_DHCP_HOST,
      parentIndex: -1,
      xml: '<host mac="52:54:00:00:00:01" ip="10.99.0.5"/>',
      flags: NetworkUpdateFlags.CONFIG,
    });
    expect(await oracle(driver, 'c.networkLookupByName("objects").XMLDesc()')).toContain('52:54:00:00:00:01');
    await client.call('networkUndefine', net);
    const xml =
      '<domain type="qemu"><name>objects</name><memory>16384</memory><vcpu>2</vcpu><os><type>hvm</type></os></domain>';
    const { dom } = await client.call('domainDefineXml', { xml });
    const flags = DomainModificationImpact.CONFIG;
    await client.call('domainPinVcpuFlags', { dom, vcpu: 0, cpumap: Uint8Array.of(1), flags });
    const { cpumaps, num } = await client.call('domainGetVcpuPinInfo', { dom, maplen: 1, flags });
    const theirs = (await oracle(driver, `d.vcpuPinInfo(${flags})`, 'objects')) as boolean[][];
    expect(num).toBe(theirs.length);
    const bits = theirs.map((cpus) => cpus.reduce((map, isSet, cpu) => (isSet && cpu < 8 ? map | (1 << cpu) : map), 0));
    // There is room for more processors than the domain has.
    expect([...cpumaps].slice(0, num)).toEqual(bits);
    await expect(client.call('domainBackupBegin', { dom, backupXml: '<domainbackup/>' })).rejects.toMatchObject({
      libvirtCode: ErrorNumber.OPERATION_UNSUPPORTED,
    });
    await expect(
      client.call('domainMigratePerform3Params', {
        dom,
        dconnuri: 'qemu+tcp://nowhere.invalid/system',
        params: [],
        flags: 2,
      }),
    ).rejects.toMatchObject({ libvirtCode: ErrorNumber.OPERATION_INVALID });
    await client.call('domainUndefine', { dom });
  });
});
