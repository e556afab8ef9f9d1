import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { type DomainPlan, domainXml, poolXml, snapshotXml, volumeXml } from './domain-xml.ts';
import { type Mark, readMark } from './mark.ts';

const mark: Mark = {
  kind: 'golden',
  owner: { pool: 'demo', instance: 'i-1', process: { bootId: 'b', pid: 42, startTime: '99' } },
  generation: 0,
  digest: 'sha256:0',
  goldenId: 'g',
  storagePool: 'warmvm',
  volumes: ['a.img'],
  agentTransport: 'channel',
  renewal: '/renew',
};

const plan: DomainPlan = {
  name: 'warmvm-demo-1',
  image: {
    name: 'tiny',
    digest: 'sha256:0',
    architecture: 'x86_64',
    boot: { kind: 'kernel', commandLine: 'quiet a="<b>"', diskBytes: 1 } as never,
    memoryBytes: 268_435_456,
    virtualCpus: 2,
    network: 'none',
  },
  mark,
  acceleration: 'tcg',
  container: { offsetBytes: 65_536, sliceBytes: 1_048_576, fileBytes: 1_114_112 },
  files: { containerPath: '/pool/a.img', kernelPath: '/pool/a.kernel', initrdPath: '/pool/a.initrd' },
};

// biome-ignore lint/suspicious/noExplicitAny: any shape that XML may have
function parsed(changed: Partial<DomainPlan>): any {
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@' });
  return parser.parse(domainXml({ ...plan, ...changed })).domain;
}

describe('domainXml', () => {
  test('defines a machine that boots a kernel', () => {
    expect(domainXml(plan).replaceAll('><', '>\n<')).toMatchInlineSnapshot(`
      "<domain type="qemu" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">
      <name>warmvm-demo-1</name>
      <metadata>
      <warmvm:mark xmlns:warmvm="https://warmvm.dev/xmlns/mark/1" kind="golden" pool="demo" instance="i-1" boot="b" pid="42" started="99" generation="0" digest="sha256:0" golden="g" storage="warmvm" volumes="a.img" agent="channel" renewal="/renew"/>
      </metadata>
      <memory unit="b">268435456</memory>
      <vcpu>2</vcpu>
      <os>
      <type arch="x86_64" machine="pc">hvm</type>
      <kernel>/pool/a.kernel</kernel>
      <initrd>/pool/a.initrd</initrd>
      <cmdline>quiet a=&quot;&lt;b&gt;&quot;</cmdline>
      </os>
      <features>
      <acpi/>
      </features>
      <cpu mode="maximum"/>
      <clock offset="utc"/>
      <on_poweroff>destroy</on_poweroff>
      <on_reboot>destroy</on_reboot>
      <on_crash>destroy</on_crash>
      <devices>
      <disk type="file" device="disk">
      <driver name="qemu" type="qcow2" cache="unsafe" discard="unmap"/>
      <source file="/pool/a.img">
      <slices>
      <slice type="storage" offset="65536" size="1048576"/>
      </slices>
      </source>
      <backingStore/>
      <target dev="vda" bus="virtio"/>
      </disk>
      <controller type="usb" model="none"/>
      <serial type="null"/>
      <channel type="unix">
      <target type="virtio" name="warmvm.agent.0"/>
      <alias name="ua-warmvm-agent"/>
      </channel>
      <memballoon model="none"/>
      </devices>
      <qemu:override>
      <qemu:device alias="ua-warmvm-agent">
      <qemu:frontend>
      <qemu:property name="name" type="string" value="org.qemu.guest_agent.0"/>
      </qemu:frontend>
      </qemu:device>
      </qemu:override>
      </domain>"
    `);
  });

  test('carries the mark', () => {
    expect(readMark(domainXml(plan))).toEqual(mark);
  });

  test('takes the host’s CPU with KVM', () => {
    const domain = parsed({ acceleration: 'kvm' });
    expect(domain['@type']).toBe('kvm');
    expect(domain.cpu['@mode']).toBe('host-passthrough');
  });

  test('boots a disk over its base', () => {
    const domain = parsed({
      image: { ...plan.image, architecture: 'aarch64', boot: { kind: 'disk', format: 'qcow2', diskBytes: 1 } as never },
      files: { containerPath: '/pool/a.img', basePath: '/pool/a.base' },
    });
    expect(domain.os.boot['@dev']).toBe('hd');
    expect(domain.os.type['@machine']).toBe('virt');
    expect(domain.devices.disk.backingStore.source['@file']).toBe('/pool/a.base');
  });

  test('leaves the agent’s port to libvirt where it is to speak to it', () => {
    const domain = parsed({ mark: { ...mark, agentTransport: 'libvirt' } });
    expect(domain.devices.channel.target['@name']).toBe('org.qemu.guest_agent.0');
    expect(domain['qemu:override']).toBeUndefined();
  });

  test('has a network only when the image asks for one', () => {
    expect(parsed({}).devices.interface).toBeUndefined();
    expect(parsed({ image: { ...plan.image, network: 'user' } }).devices.interface['@type']).toBe('user');
  });
});

describe('storage and snapshots', () => {
  test('are defined so that libvirt takes volumes for raw, and private', () => {
    expect(volumeXml('a&b', 5)).toBe(
      '<volume><name>a&amp;b</name><capacity unit="bytes">5</capacity><allocation unit="bytes">0</allocation><target><format type="raw"/><permissions><mode>0600</mode></permissions></target></volume>',
    );
    expect(poolXml('p', '/d', 'u')).toContain('<pool type="dir"><name>p</name><uuid>u</uuid><target><path>/d</path>');
    expect(snapshotXml('golden')).toBe('<domainsnapshot><name>golden</name></domainsnapshot>');
  });
});
