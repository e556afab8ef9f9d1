import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machinePlan } from '../fixtures/machine-plan.ts';
import type { MachinePlan } from './machine-plan.ts';
import type { NetworkPlan } from './network-plan.ts';
import { qemuArguments } from './qemu-arguments.ts';

/** The arguments, an option and its value a line. */
function lines(plan: MachinePlan): string[] {
  const result: string[] = [];
  for (const word of qemuArguments(plan)) {
    if (word.startsWith('-')) result.push(word);
    else result[result.length - 1] += ` ${word}`;
  }
  return result;
}

const mac = '02:00:00:00:00:01';

describe('qemuArguments', () => {
  test('boots a template on x86-64', () => {
    expect(lines(machinePlan())).toMatchInlineSnapshot(`
      [
        "-name guest=warmvm-pool-1",
        "-nodefaults",
        "-no-user-config",
        "-display none",
        "-no-reboot",
        "-boot strict=on",
        "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "-machine pc,usb=off,vmport=off,memory-backend=memory,dump-guest-core=off,mem-merge=off",
        "-accel tcg",
        "-cpu max",
        "-smp cpus=2,sockets=1,cores=2,threads=1",
        "-m size=268435456B",
        "-object {"qom-type":"memory-backend-file","mem-path":"/golden/memory","share":true,"id":"memory","size":268435456,"merge":false,"dump":false}",
        "-kernel /golden/kernel",
        "-initrd /golden/initrd",
        "-append quiet",
        "-chardev socket,id=qmp,path=/machine/qmp,server=on,wait=off",
        "-mon chardev=qmp,mode=control",
        "-chardev null,id=console",
        "-serial chardev:console",
        "-device {"driver":"virtio-serial-pci","id":"ports","max_ports":2}",
        "-chardev socket,id=agent,path=/machine/agent,server=on,wait=off",
        "-device {"driver":"virtserialport","id":"agent-port","bus":"ports.0","nr":1,"chardev":"agent","name":"org.qemu.guest_agent.0"}",
        "-blockdev {"driver":"qcow2","file":{"driver":"raw","size":134217728,"file":{"driver":"file","filename":"/machine/disk","locking":"off","cache":{"direct":false,"no-flush":true}},"cache":{"direct":false,"no-flush":true}},"cache":{"direct":false,"no-flush":true},"node-name":"disk0","read-only":false,"discard":"unmap","backing":{"driver":"raw","file":{"driver":"file","filename":"/golden/disk","locking":"off","cache":{"direct":false,"no-flush":true}},"cache":{"direct":false,"no-flush":true},"read-only":true}}",
        "-device {"driver":"virtio-blk-pci","id":"disk0-port","drive":"disk0","werror":"report","rerror":"report"}",
        "-nic none",
        "-object {"qom-type":"rng-builtin","id":"random-source"}",
        "-device {"driver":"virtio-rng-pci","id":"random","rng":"random-source","max-bytes":1024,"period":1000}",
        "-device {"driver":"vmgenid","id":"generation","guid":"11111111-2222-3333-4444-555555555555"}",
      ]
    `);
  });

  test('takes files of disks that it inherits, down to the lowest', () => {
    const disk = (number: number) => ({ path: `/dev/fdset/${number}`, format: 'qcow2' }) as const;
    const plan = lines(machinePlan({ disks: [{ ...disk(7), backing: { ...disk(8), backing: disk(9) } }, disk(12)] }));
    expect(plan.filter((line) => line.startsWith('-add-fd'))).toEqual(
      [7, 8, 9, 12].map((number) => `-add-fd fd=${number},set=${number}`),
    );
    const node = JSON.parse(plan.find((line) => line.includes('"node-name":"disk0"'))!.replace('-blockdev ', ''));
    expect([node.backing['read-only'], node.backing.backing['read-only']]).toEqual([true, true]);
    expect(node.backing.backing.file.filename).toBe('/dev/fdset/9');
  });

  test('waits for nobody at a socket that it inherits and that listens', () => {
    const plan = lines(machinePlan({ heir: { kind: 'inherited', descriptor: 6, listens: true } }));
    expect(plan).toContain('-chardev socket,id=heir,fd=6,server=on,wait=off');
  });

  test('looks for the process that starts it before it opens anything else', () => {
    const found = lines(machinePlan({ starter: { kind: 'connect', path: 'o1' } }));
    const [first] = found.filter((line) => line.startsWith('-chardev'));
    expect(first).toBe('-chardev socket,id=starter,path=o1,server=off');
  });

  test('forks it on x86-64: private memory, no kernel, waiting for its state', () => {
    const memory = { bytes: 2 ** 28, file: { path: '/golden/memory', share: false } };
    const template = new Set(lines(machinePlan()));
    const fork = lines(machinePlan({ memory, boot: { kind: 'state' }, incoming: true }));
    expect(fork.filter((line) => !template.has(line))).toMatchInlineSnapshot(`
      [
        "-object {"qom-type":"memory-backend-file","mem-path":"/golden/memory","share":false,"id":"memory","size":268435456,"merge":false,"dump":false}",
        "-incoming defer",
      ]
    `);
  });

  test('boots a template on arm64', () => {
    const { generationId: _, ...plan } = machinePlan({ architecture: 'aarch64', machineType: 'virt' });
    const other = new Set(lines(machinePlan()));
    expect(lines(plan).filter((line) => !other.has(line))).toMatchInlineSnapshot(`
      [
        "-machine virt,gic-version=max,memory-backend=memory,dump-guest-core=off,mem-merge=off",
        "-cpu max,pauth-impdef=on",
      ]
    `);
  });

  test.each<[string, Partial<MachinePlan>]>([
    ['KVM', { acceleration: 'kvm', cpuModel: 'host' }],
    ['a model of its own', { acceleration: 'tcg', cpuModel: 'cortex-a72' }],
  ])('leaves the processor of an arm64 guest as it is with %s', (_, changes) => {
    const { generationId: _id, ...plan } = machinePlan({ architecture: 'aarch64', machineType: 'virt', ...changes });
    expect(lines(plan)).toContain(`-cpu ${changes.cpuModel}`);
  });

  test.each<[string, NetworkPlan, string]>([
    ['nothing', { kind: 'none' }, '-nic none'],
    ['no cable', { kind: 'unplugged', mac }, '-netdev hubport,id=network,hubid=0'],
    ['a closed network', { kind: 'user', restrict: true, mac }, '-netdev user,id=network,restrict=on,ipv6=off'],
    [
      'an open network, as a fork',
      { kind: 'user', restrict: false, firstAddress: '10.0.2.14', mac },
      '-netdev user,id=network,restrict=off,ipv6=off,dhcpstart=10.0.2.14',
    ],
    [
      'a tap',
      { kind: 'tap', name: 'tap0', mac },
      '-netdev tap,id=network,ifname=tap0,script=no,downscript=no,vnet_hdr=off',
    ],
  ])('connects the guest to %s', (_, network, line) => {
    const plan = lines(machinePlan({ network }));
    expect(plan).toContain(line);
    expect(plan.filter((other) => /^-(nic|netdev)/.test(other))).toHaveLength(1);
    expect(plan.some((other) => other.includes('virtio-net'))).toBe(network.kind !== 'none');
  });

  test('takes sockets that QEMU inherits, and a console that is kept', () => {
    const plan = lines(
      machinePlan({
        qmp: { kind: 'inherited', descriptor: 3 },
        agent: { kind: 'connect', path: '/machine/agent' },
        console: { kind: 'ring', bytes: 65_536 },
      }),
    );
    expect(plan).toContain('-chardev socket,id=qmp,fd=3');
    expect(plan).toContain('-chardev socket,id=agent,path=/machine/agent,server=off');
    expect(plan).toContain('-chardev ringbuf,id=console,size=65536');
  });

  test('opens memory for reading only where QEMU can', () => {
    const memory = { bytes: 2 ** 28, file: { path: '/golden/memory', share: false, readOnly: true } };
    expect(lines(machinePlan({ memory })).join('\n')).toContain('"readonly":true,"rom":"off"');
  });

  test('boots a disk, on arm64 with firmware', () => {
    expect(lines(machinePlan({ boot: { kind: 'disk' } })).join('\n')).not.toMatch(/-kernel|-bios/);
    const { generationId: _, ...plan } = machinePlan({
      architecture: 'aarch64',
      machineType: 'virt',
      boot: { kind: 'disk', firmwarePath: '/usr/share/qemu-efi' },
    });
    expect(lines(plan)).toContain('-bios /usr/share/qemu-efi');
  });

  test.each<[string, Partial<MachinePlan>]>([
    ['plan.name', { name: 'a,debug-threads=on' }],
    ['plan.name', { name: '-monitor' }],
    ['plan.machineType', { machineType: 'pc,accel=kvm' }],
    ['plan.cpuModel', { cpuModel: 'max,+vmx' }],
    ['plan.virtualCpus', { virtualCpus: 0 }],
    ['plan.memory.bytes', { memory: { bytes: 2 ** 28 + 1 } }],
    ['plan.memory.file.path', { memory: { bytes: 2 ** 28, file: { path: 'relative', share: false } } }],
    ['plan.boot.kernelPath', { boot: { kind: 'kernel', kernelPath: '-x', initrdPath: '/i', commandLine: '' } }],
    ['plan.boot.commandLine', { boot: { kind: 'kernel', kernelPath: '/k', initrdPath: '/i', commandLine: 'a\nb' } }],
    ['plan.boot.kind', { boot: { kind: 'state' } }],
    ['plan.disks', { boot: { kind: 'disk' }, disks: [] }],
    ['plan.disks[0].path', { disks: [{ path: 'nbd://far', format: 'raw' }] }],
    ['plan.disks[0].fileBytes', { disks: [{ path: '/d', format: 'raw', fileBytes: 100 }] }],
    ['plan.disks[0].format', { disks: [{ path: '/d', format: 'raw', backing: { path: '/b', format: 'raw' } }] }],
    ['plan.qmp.path', { qmp: { kind: 'listen', path: `/${'x'.repeat(120)}` } }],
    ['plan.starter.path', { starter: { kind: 'connect', path: '../o1' } }],
    ['plan.agent.descriptor', { agent: { kind: 'inherited', descriptor: 1 } }],
    ['plan.console.bytes', { console: { kind: 'ring', bytes: 3000 } }],
    ['plan.network.mac', { network: { kind: 'tap', name: 'tap0', mac: '01:00:00:00:00:01' } }],
    ['plan.network.name', { network: { kind: 'tap', name: 'tap0,script=/bin/sh', mac } }],
    ['plan.generationId', { generationId: 'auto' }],
    ['plan.generationId', { architecture: 'aarch64', machineType: 'virt' }],
    [
      'plan.network.firstAddress',
      { network: { kind: 'user', restrict: true, mac, firstAddress: '10.0.2.14,restrict=off' } },
    ],
  ])('refuses a plan that would say something else, naming %s', (name, changes) => {
    expect(() => qemuArguments(machinePlan(changes))).toThrow(RangeError);
    expect(() => qemuArguments(machinePlan(changes))).toThrow(`${name} is`);
  });

  test('whatever a path holds, it stays one value of one option', () => {
    const plain = qemuArguments(machinePlan()).length;
    const path = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((text) => `/${text}`);
    fc.assert(
      fc.property(path, path, path, (socket, disk, memory) => {
        const plan = machinePlan({
          qmp: { kind: 'listen', path: socket },
          disks: [{ path: disk, format: 'raw' }],
          memory: { bytes: 2 ** 28, file: { path: memory, share: false } },
        });
        let words: readonly string[];
        try {
          words = qemuArguments(plan);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        expect(words).toHaveLength(plain);
        // As QEMU's own parser reads it: a doubled comma is one comma of the value.
        const chardev = words.find((word) => word.startsWith('socket,id=qmp,'));
        const fields = chardev?.replaceAll(',,', '\0').split(',') ?? [];
        expect(fields.map((field) => field.replaceAll('\0', ','))).toEqual([
          'socket',
          'id=qmp',
          `path=${socket}`,
          'server=on',
          'wait=off',
        ]);
        const block = words.find((word) => word.includes('"node-name":"disk0"'));
        expect(JSON.parse(block ?? '').file.filename).toBe(disk);
        const object = words.find((word) => word.includes('memory-backend-file'));
        expect(JSON.parse(object ?? '')['mem-path']).toBe(memory);
      }),
    );
  });
});
