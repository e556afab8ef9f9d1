import type { GoldenImage } from '@warmvm/core/driver';
import type { Container } from './container.ts';
import { type Mark, markElement } from './mark.ts';
import { toXml } from './xml.ts';

/** Everything that goes into the definition of one domain. */
export interface DomainPlan {
  readonly name: string;
  readonly image: GoldenImage;
  readonly mark: Mark;
  readonly acceleration: 'kvm' | 'tcg';
  readonly container: Container;
  /** Paths on the host. */
  readonly files: DomainFiles;
}

export interface DomainFiles {
  readonly containerPath: string;
  readonly kernelPath?: string;
  readonly initrdPath?: string;
  readonly basePath?: string;
}

/** Port name that a guest agent of any distribution looks for. */
export const AGENT_PORT = 'org.qemu.guest_agent.0';
/** Name that libvirt knows the same port by, so that it leaves it to us. */
export const CHANNEL_NAME = 'warmvm.agent.0';
const CHANNEL_ALIAS = 'ua-warmvm-agent';

/** The definition of a domain: no network unless asked for, no graphics, no sound, no USB, nothing shared with the host. */
export function domainXml(plan: DomainPlan): string {
  const channel = plan.mark.agentTransport === 'channel';
  return toXml({
    domain: {
      '@type': plan.acceleration === 'kvm' ? 'kvm' : 'qemu',
      ...(channel ? { '@xmlns:qemu': 'http://libvirt.org/schemas/domain/qemu/1.0' } : {}),
      name: plan.name,
      metadata: { 'warmvm:mark': markElement(plan.mark) },
      memory: { '@unit': 'b', '#text': plan.image.memoryBytes },
      vcpu: plan.image.virtualCpus,
      os: operatingSystem(plan),
      features: { acpi: {} },
      cpu: { '@mode': plan.acceleration === 'kvm' ? 'host-passthrough' : 'maximum' },
      clock: { '@offset': 'utc' },
      on_poweroff: 'destroy',
      on_reboot: 'destroy',
      on_crash: 'destroy',
      devices: {
        disk: disk(plan),
        controller: { '@type': 'usb', '@model': 'none' },
        serial: { '@type': 'null' },
        channel: {
          '@type': 'unix',
          target: { '@type': 'virtio', '@name': channel ? CHANNEL_NAME : AGENT_PORT },
          ...(channel ? { alias: { '@name': CHANNEL_ALIAS } } : {}),
        },
        ...(plan.image.network === 'user' ? { interface: { '@type': 'user', model: { '@type': 'virtio' } } } : {}),
        memballoon: { '@model': 'none' },
      },
      ...(channel ? { 'qemu:override': agentPortOverride() } : {}),
    },
  });
}

function operatingSystem(plan: DomainPlan): object {
  const type = {
    '@arch': plan.image.architecture,
    '@machine': plan.image.architecture === 'x86_64' ? 'pc' : 'virt',
    '#text': 'hvm',
  };
  const boot = plan.image.boot;
  if (boot.kind === 'disk') return { type, boot: { '@dev': 'hd' } };
  return { type, kernel: plan.files.kernelPath, initrd: plan.files.initrdPath, cmdline: boot.commandLine };
}

function disk(plan: DomainPlan): object {
  const { container, files } = plan;
  return {
    '@type': 'file',
    '@device': 'disk',
    // What a machine writes need not outlive the host's power: flushes would cost time and buy nothing.
    driver: { '@name': 'qemu', '@type': 'qcow2', '@cache': 'unsafe', '@discard': 'unmap' },
    source: {
      '@file': files.containerPath,
      slices: { slice: { '@type': 'storage', '@offset': container.offsetBytes, '@size': container.sliceBytes } },
    },
    backingStore:
      files.basePath === undefined
        ? {}
        : { '@type': 'file', format: { '@type': 'qcow2' }, source: { '@file': files.basePath }, backingStore: {} },
    target: { '@dev': 'vda', '@bus': 'virtio' },
  };
}

/** Gives the port the name that guests expect, while libvirt goes on knowing it by another. libvirt 8.2 and newer. */
function agentPortOverride(): object {
  return {
    'qemu:device': {
      '@alias': CHANNEL_ALIAS,
      'qemu:frontend': { 'qemu:property': { '@name': 'name', '@type': 'string', '@value': AGENT_PORT } },
    },
  };
}

/** The definition of a volume that libvirt takes for raw. */
export function volumeXml(name: string, capacityBytes: number): string {
  return toXml({
    volume: {
      name,
      capacity: { '@unit': 'bytes', '#text': capacityBytes },
      allocation: { '@unit': 'bytes', '#text': 0 },
      target: { format: { '@type': 'raw' }, permissions: { mode: '0600' } },
    },
  });
}

/** The definition of a storage pool over a directory. */
export function poolXml(name: string, path: string, uuid: string): string {
  return toXml({
    pool: { '@type': 'dir', name, uuid, target: { path, permissions: { mode: '0711' } } },
  });
}

/** A request for an internal snapshot with memory. */
export function snapshotXml(name: string): string {
  return toXml({ domainsnapshot: { name } });
}
