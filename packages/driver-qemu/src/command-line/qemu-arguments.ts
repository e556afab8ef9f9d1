import { checkPlan } from './check-plan.ts';
import type { ChannelPlan, ConsolePlan, DiskFilePlan, DiskPlan, MachinePlan } from './machine-plan.ts';
import type { NetworkPlan } from './network-plan.ts';
import { optionList } from './option-value.ts';

/** Port name that a guest agent of any distribution looks for. */
const AGENT_PORT = 'org.qemu.guest_agent.0';
/** What QEMU's monitor knows the card and its network by. */
export const CARD_ID = 'network-card';
export const NETWORK_ID = 'network';
/** What a guest may draw from the host's randomness: 1 KiB a second. */
const RANDOM_BYTES = 1024;
const RANDOM_PERIOD_MS = 1000;
const INHERITED_FILE = /^\/dev\/fdset\/(\d+)$/;

/**
 * The arguments of QEMU 7.2 or newer for a machine: no USB, no graphics, no sound, no floppy, no network unless asked for, no
 * configuration file of the user's or the system's. A machine that would reboot ends.
 * @throws RangeError when something of the plan cannot be, or could be taken for another option
 */
export function qemuArguments(plan: MachinePlan): readonly string[] {
  checkPlan(plan);
  return [
    ...['-name', optionList(`guest=${plan.name}`, [])],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-boot', 'strict=on'],
    ...(plan.sandbox ? ['-sandbox', SANDBOX] : []),
    ...machine(plan),
    ...memory(plan),
    ...boot(plan),
    ...channels(plan),
    ...plan.disks.flatMap(inheritedFiles).flatMap((descriptor) => ['-add-fd', `fd=${descriptor},set=${descriptor}`]),
    ...plan.disks.flatMap(disk),
    ...network(plan.network),
    ...['-object', json({ 'qom-type': 'rng-builtin', id: 'random-source' })],
    ...device('virtio-rng-pci', {
      id: 'random',
      rng: 'random-source',
      'max-bytes': RANDOM_BYTES,
      period: RANDOM_PERIOD_MS,
    }),
    ...(plan.generationId === undefined ? [] : device('vmgenid', { id: 'generation', guid: plan.generationId })),
    ...(plan.incoming ? ['-incoming', 'defer'] : []),
  ];
}

/** Every switch of QEMU's filter. `spawn` also forbids `exec:` migration and network scripts; nothing here needs them. */
const SANDBOX = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';

function machine(plan: MachinePlan): string[] {
  const common = [
    ['memory-backend', 'memory'],
    // A core dump would hold the guest's secrets; merging equal pages of several guests lets one guest time another's.
    ['dump-guest-core', 'off'],
    ['mem-merge', 'off'],
  ] as const;
  const own =
    plan.architecture === 'x86_64'
      ? ([
          ['usb', 'off'],
          ['vmport', 'off'],
        ] as const)
      : ([['gic-version', 'max']] as const);
  return [
    ...['-machine', optionList(plan.machineType, [...own, ...common])],
    ...['-accel', plan.acceleration, '-cpu', processor(plan)],
    ...[
      '-smp',
      optionList(`cpus=${plan.virtualCpus}`, [
        ['sockets', 1],
        ['cores', plan.virtualCpus],
        ['threads', 1],
      ]),
    ],
  ];
}

/**
 * Signing pointers by arm64's own algorithm is slow to emulate. QEMU's cheaper one makes weaker signatures, which are a program's guard
 * inside its guest; what keeps a guest from the host does not depend on them.
 */
function processor({ architecture, acceleration, cpuModel }: MachinePlan): string {
  const isSlow = architecture === 'aarch64' && acceleration === 'tcg' && cpuModel === 'max';
  return isSlow ? optionList(cpuModel, [['pauth-impdef', 'on']]) : cpuModel;
}

function memory({ memory: { bytes, file } }: MachinePlan): string[] {
  const backend =
    file === undefined
      ? { 'qom-type': 'memory-backend-ram', share: false }
      : {
          'qom-type': 'memory-backend-file',
          'mem-path': file.path,
          share: file.share,
          ...(file.readOnly === true ? { readonly: true, rom: 'off' } : {}),
        };
  return [
    '-m',
    `size=${bytes}B`,
    '-object',
    json({ ...backend, id: 'memory', size: bytes, merge: false, dump: false }),
  ];
}

function boot({ boot: plan }: MachinePlan): string[] {
  if (plan.kind === 'state') return [];
  if (plan.kind === 'disk') return plan.firmwarePath === undefined ? [] : ['-bios', plan.firmwarePath];
  return ['-kernel', plan.kernelPath, '-initrd', plan.initrdPath, '-append', plan.commandLine];
}

function channels(plan: MachinePlan): string[] {
  return [
    ...(plan.starter === undefined ? [] : ['-chardev', channel('starter', plan.starter)]),
    ...['-chardev', channel('qmp', plan.qmp), '-mon', 'chardev=qmp,mode=control'],
    ...(plan.heir === undefined ? [] : ['-chardev', channel('heir', plan.heir), '-mon', 'chardev=heir,mode=control']),
    ...['-chardev', consoleBackend(plan.console), '-serial', 'chardev:console'],
    ...device('virtio-serial-pci', { id: 'ports', max_ports: 2 }),
    ...['-chardev', channel('agent', plan.agent)],
    ...device('virtserialport', { id: 'agent-port', bus: 'ports.0', nr: 1, chardev: 'agent', name: AGENT_PORT }),
  ];
}

function channel(id: string, plan: ChannelPlan): string {
  if (plan.kind === 'inherited')
    return optionList('socket', [
      ['id', id],
      ['fd', plan.descriptor],
      ...(plan.listens === true ? ([...LISTENING] as const) : []),
    ]);
  const path = ['path', plan.path] as const;
  return plan.kind === 'listen'
    ? optionList('socket', [['id', id], path, ...LISTENING])
    : optionList('socket', [['id', id], path, ['server', 'off']]);
}

const LISTENING = [
  ['server', 'on'],
  ['wait', 'off'],
] as const;

function consoleBackend(plan: ConsolePlan): string {
  if (plan.kind === 'none') return 'null,id=console';
  if (plan.kind === 'ring')
    return optionList('ringbuf', [
      ['id', 'console'],
      ['size', plan.bytes],
    ]);
  return channel('console', plan);
}

function disk(plan: DiskPlan, index: number): string[] {
  const readOnly = plan.readOnly ?? false;
  const node = {
    ...blockNode(plan),
    'node-name': `disk${index}`,
    'read-only': readOnly,
    discard: 'unmap',
    ...backing(plan),
  };
  return [
    ...['-blockdev', json(node)],
    ...device('virtio-blk-pci', {
      id: `disk${index}-port`,
      drive: `disk${index}`,
      // QEMU would stop the machine when its file may not grow; the guest is to be told instead.
      werror: 'report',
      rerror: 'report',
    }),
  ];
}

function backing({ backing: below }: DiskFilePlan): object {
  return below === undefined ? {} : { backing: { ...blockNode(below), 'read-only': true, ...backing(below) } };
}

/** Numbers of the descriptors that a disk and the files below it are. */
function inheritedFiles({ path, backing: below }: DiskFilePlan): number[] {
  const [, descriptor] = INHERITED_FILE.exec(path) ?? [];
  return [
    ...(descriptor === undefined ? [] : [Number(descriptor)]),
    ...(below === undefined ? [] : inheritedFiles(below)),
  ];
}

/** What a machine writes need not outlive the host's power: flushes would cost time and buy nothing. */
const CACHE = { direct: false, 'no-flush': true } as const;

function blockNode({ path, format, fileBytes }: Pick<DiskPlan, 'path' | 'format' | 'fileBytes'>): object {
  const file = { driver: 'file', filename: path, locking: 'off', cache: CACHE };
  const bounded = fileBytes === undefined ? file : { driver: 'raw', size: fileBytes, file, cache: CACHE };
  return { driver: format, file: bounded, cache: CACHE };
}

function network(plan: NetworkPlan): string[] {
  if (plan.kind === 'none') return ['-nic', 'none'];
  const backend = optionList(plan.kind === 'unplugged' ? 'hubport' : plan.kind, [
    ['id', NETWORK_ID],
    ...networkBackend(plan),
  ]);
  // Without a ROM: nothing boots from the network, and reading the file costs time.
  const card = { id: CARD_ID, netdev: NETWORK_ID, mac: plan.mac, romfile: '' };
  return ['-netdev', backend, ...device('virtio-net-pci', card)];
}

function networkBackend(plan: Exclude<NetworkPlan, { kind: 'none' }>): readonly (readonly [string, string | number])[] {
  switch (plan.kind) {
    case 'unplugged':
      return [['hubid', 0]];
    case 'tap':
      return [
        ['ifname', plan.name],
        ['script', 'no'],
        ['downscript', 'no'],
        // The template's card was promised no offloading either.
        ['vnet_hdr', 'off'],
      ];
    case 'user':
      return [
        ['restrict', plan.restrict ? 'on' : 'off'],
        // `restrict` is proved for IPv4, and forwards need no other.
        ['ipv6', 'off'],
        ...(plan.firstAddress === undefined ? [] : [['dhcpstart', plan.firstAddress] as const]),
      ];
  }
}

function device(driver: string, properties: Readonly<Record<string, string | number | boolean>>): string[] {
  return ['-device', json({ driver, ...properties })];
}

/** JSON needs no escapes of QEMU's own, and a value never becomes another option. */
function json(value: object): string {
  return JSON.stringify(value);
}
