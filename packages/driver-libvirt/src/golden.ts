import { randomUUID } from 'node:crypto';
import {
  type CallOptions,
  type ErrorCode,
  type GoldenImage,
  type GoldenSnapshot,
  isWarmvmError,
  type PrepareOptions,
  type PrepareProgress,
  type Renewal,
  WarmvmError,
} from '@warmvm/core/driver';
import { identityFor, quiesceGuest, renewGuest } from '@warmvm/guest-agent';
import type { DomainRef, StoragePoolRef, StorageVolumeRef } from '@warmvm/libvirt';
import { AgentLink } from './agent-link.ts';
import { type Container, containerFor, containerHead } from './container.ts';
import { type DomainFiles, domainXml, snapshotXml } from './domain-xml.ts';
import type { HostFacts } from './host-facts.ts';
import { interruptionBehind } from './interruption.ts';
import type { Mark } from './mark.ts';
import { type MarkedDomain, SNAPSHOT_NAME, type Workshop } from './workshop.ts';

/** A golden snapshot as this driver knows it: a shut-off domain whose container the machines are cloned from. */
export interface LibvirtGolden extends GoldenSnapshot {
  readonly template: MarkedDomain;
  /** Mark without owner and volumes, for the machines. */
  readonly files: DomainFiles;
  readonly container: Container;
  readonly volume: StorageVolumeRef;
  readonly pool: StoragePoolRef;
  /** The template's own snapshot, as libvirt describes it. */
  readonly snapshotXml: string;
  readonly facts: HostFacts;
}

/** `virDomainCreateFlags`: the daemon destroys the domain when the connection that started it ends. */
const START_AUTODESTROY = 2;

/** Makes one golden snapshot: define, upload, boot, wait for the agent, warm up, quiesce, snapshot, stop. */
export class GoldenMaker {
  readonly #workshop: Workshop;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  /** @throws WARMVM_GOLDEN_INVALID; nothing of it is left on the host then */
  async make(image: GoldenImage, facts: HostFacts, options: PrepareOptions): Promise<LibvirtGolden> {
    const renewal = renewalOf(image, this.#workshop.options.hostLoopback);
    const report = (step: PrepareProgress['step'], fraction?: number): void =>
      options.onProgress?.(fraction === undefined ? { step } : { step, fraction });
    const { storage, options: driverOptions } = this.#workshop;
    const pool = await storage.ensure(options);
    const name = this.#workshop.nameFor(options.owner, 'golden');
    const volumes = volumeNames(name, image);
    const mark: Mark = {
      kind: 'golden',
      owner: options.owner,
      generation: 0,
      digest: image.digest,
      goldenId: randomUUID(),
      storagePool: storage.name,
      volumes: Object.values(volumes),
      agentTransport: facts.agentTransport,
      renewal: renewal.command,
    };
    const container = containerFor(image, driverOptions.maxOverlayBytes);
    const files = await this.#filesOf(pool, volumes, options);
    const plan = { name, image, mark, acceleration: facts.acceleration, container, files };
    const xml = domainXml(plan);
    const dom = await this.#workshop.define(xml, name, options);
    const template: MarkedDomain = { dom, mark };
    try {
      options.signal?.throwIfAborted();
      const volume = await this.#fill(pool, image, volumes, container, files, options, report);
      await this.#warmUp(template, image, options, report);
      report('snapshot');
      const snapshot = await this.#snapshot(dom, options);
      options.signal?.throwIfAborted();
      return {
        digest: image.digest,
        host: facts.hostname,
        image,
        template,
        files,
        container,
        volume,
        pool,
        snapshotXml: snapshot,
        facts,
      };
    } catch (error) {
      await this.#abandon(template, error);
      // A connection that broke says nothing of the image.
      throw interruptionBehind(error) ?? invalidIfGuestFault(error, image);
    }
  }

  async #filesOf(pool: StoragePoolRef, volumes: VolumeNames, options: CallOptions): Promise<DomainFiles> {
    const { storage } = this.#workshop;
    const path = (name: string): Promise<string> => storage.pathOf(pool, name, options);
    return {
      containerPath: await path(volumes.container),
      ...(volumes.kernel === undefined ? {} : { kernelPath: await path(volumes.kernel) }),
      ...(volumes.initrd === undefined ? {} : { initrdPath: await path(volumes.initrd) }),
      ...(volumes.base === undefined ? {} : { basePath: await path(volumes.base) }),
    };
  }

  async #fill(
    pool: StoragePoolRef,
    image: GoldenImage,
    volumes: VolumeNames,
    container: Container,
    files: DomainFiles,
    options: CallOptions,
    report: (step: PrepareProgress['step'], fraction?: number) => void,
  ): Promise<StorageVolumeRef> {
    const { storage } = this.#workshop;
    const uploading = wholePercents((fraction) => report('upload', fraction));
    uploading(0);
    const { boot } = image;
    if (boot.kind === 'kernel') {
      await storage.createFromFile(pool, volumes.kernel ?? '', boot.kernel, () => {}, options);
      await storage.createFromFile(pool, volumes.initrd ?? '', boot.initrd, uploading, options);
    } else {
      await storage.createFromFile(pool, volumes.base ?? '', boot.disk, uploading, options);
    }
    const head = containerHead(boot.diskBytes, files.basePath);
    return storage.create(pool, volumes.container, container.fileBytes, head, options);
  }

  async #warmUp(
    { dom, mark }: MarkedDomain,
    image: GoldenImage,
    options: PrepareOptions,
    report: (step: PrepareProgress['step'], fraction?: number) => void,
  ): Promise<void> {
    const { session, options: driverOptions } = this.#workshop;
    const { clock, bootTimeoutMs, agentTimeoutMs, clockToleranceMs } = driverOptions;
    report('boot');
    await session.make('domainCreateWithFlags', { dom, flags: START_AUTODESTROY }, `start ${dom.name}`, options);
    const link = await AgentLink.open(this.#workshop, dom, mark.agentTransport, options.signal);
    try {
      report('agent');
      await this.#firstAnswer(link, image, bootTimeoutMs, options);
      report('warm-up');
      await renewGuest(link.agent, {
        command: mark.renewal,
        generationId: mark.goldenId,
        ...identityFor(dom.name),
        toleranceMs: clockToleranceMs,
        timeoutMs: agentTimeoutMs,
        timeoutOption: 'agentTimeoutMs',
        clock,
        ...signalOf(options),
      });
      report('quiesce');
      await quiesceGuest(link.agent, image, options);
    } finally {
      await link[Symbol.asyncDispose]();
    }
  }

  /** A guest that never answers is an image that is no good, unless the caller had enough of waiting. */
  async #firstAnswer(link: AgentLink, image: GoldenImage, timeoutMs: number, options: CallOptions): Promise<void> {
    try {
      await link.firstAnswer(timeoutMs, 'bootTimeoutMs', options.signal);
    } catch (cause) {
      options.signal?.throwIfAborted();
      if (isWarmvmError(cause, 'WARMVM_HOST_LOST') || interruptionBehind(cause) !== undefined) throw cause;
      throw new WarmvmError(
        'WARMVM_GOLDEN_INVALID',
        `The guest agent of image ${image.name} did not answer within ${timeoutMs} ms of the start (option bootTimeoutMs). ` +
          'If the image boots more slowly here, raise bootTimeoutMs.',
        {
          cause,
          details: {
            image: image.name,
            option: 'bootTimeoutMs',
            timeoutMs,
            expected: 'qemu-guest-agent on port org.qemu.guest_agent.0',
          },
        },
      );
    }
  }

  async #snapshot(dom: DomainRef, options: CallOptions): Promise<string> {
    const { session } = this.#workshop;
    const request = { dom, xmlDesc: snapshotXml(SNAPSHOT_NAME), flags: 0 };
    const { snap } = await session.make('domainSnapshotCreateXml', request, `snapshot ${dom.name}`, options);
    const { xml } = await session.call('domainSnapshotGetXmlDesc', { snap, flags: 0 }, 'read the snapshot', options);
    await session.call('domainDestroy', { dom }, `stop ${dom.name}`, options);
    return xml;
  }

  async #abandon(template: MarkedDomain, reason: unknown): Promise<void> {
    try {
      await this.#workshop.demolish(template);
    } catch (cause) {
      const lost = isWarmvmError(reason, 'WARMVM_HOST_LOST') || isWarmvmError(cause, 'WARMVM_HOST_LOST');
      throw new WarmvmError(
        lost ? 'WARMVM_HOST_LOST' : 'WARMVM_HOST_OPERATION',
        `could not clean up after a failed prepare: ${template.dom.name}`,
        {
          retryable: true,
          cause,
          details: { leftBehind: [template.dom.name, ...template.mark.volumes], reason: String(reason) },
        },
      );
    }
  }
}

/** Passes progress on only when a person would see a difference. */
function wholePercents(report: (fraction: number) => void): (fraction: number) => void {
  let shown = -1;
  return (fraction) => {
    const percent = Math.floor(fraction * 100);
    if (percent === shown) return;
    shown = percent;
    report(fraction);
  };
}

/** The renewal program of an image that can be made. @throws WARMVM_GOLDEN_INVALID, WARMVM_NOT_SUPPORTED */
function renewalOf(image: GoldenImage, hostLoopback: boolean): Renewal {
  const { boot, renewal, network } = image;
  if (network === 'user' && !hostLoopback) {
    throw new WarmvmError(
      'WARMVM_NOT_SUPPORTED',
      `image ${image.name} asks for a user network, which reaches services on the host's loopback address`,
      { details: { image: image.name, expected: "network 'none', or options.hostLoopback, which allows that" } },
    );
  }
  if (boot.kind === 'disk' && boot.format !== 'qcow2') {
    throw new WarmvmError('WARMVM_NOT_SUPPORTED', `image ${image.name} has a ${boot.format} disk`, {
      details: { image: image.name, expected: 'a qcow2 disk: convert it once with qemu-img' },
    });
  }
  if (boot.kind === 'disk' && boot.seed !== undefined) {
    throw new WarmvmError('WARMVM_NOT_SUPPORTED', `image ${image.name} has a second disk (seed)`, {
      details: { image: image.name, expected: 'one disk: boot it once with the seed, and describe what came of it' },
    });
  }
  if (renewal !== undefined) return renewal;
  throw new WarmvmError('WARMVM_GOLDEN_INVALID', `image ${image.name} names no renewal program`, {
    details: {
      image: image.name,
      expected: 'GoldenImage.renewal: forks of one memory must not share identity and entropy',
    },
  });
}

const GUEST_FAULTS: readonly ErrorCode[] = [
  'WARMVM_NOT_READY',
  'WARMVM_GUEST_UNRESPONSIVE',
  'WARMVM_GUEST_EXEC_FAILED',
];

/** A guest that does not do what a golden snapshot needs, and a file of the image that cannot be read, are faults of the image. */
function invalidIfGuestFault(cause: unknown, image: GoldenImage): unknown {
  const isGuestFault = GUEST_FAULTS.some((code) => isWarmvmError(cause, code));
  const isMissingFile = cause instanceof Error && 'syscall' in cause && 'path' in cause;
  if (!isGuestFault && !isMissingFile) return cause;
  return new WarmvmError('WARMVM_GOLDEN_INVALID', `image ${image.name} is no good: ${(cause as Error).message}`, {
    cause,
    details: { image: image.name },
  });
}

interface VolumeNames {
  readonly container: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly base?: string;
}

function volumeNames(name: string, image: GoldenImage): VolumeNames {
  const container = `${name}.img`;
  return image.boot.kind === 'kernel'
    ? { container, kernel: `${name}.kernel`, initrd: `${name}.initrd` }
    : { container, base: `${name}.base` };
}

function signalOf(options: CallOptions): CallOptions {
  return options.signal === undefined ? {} : { signal: options.signal };
}
