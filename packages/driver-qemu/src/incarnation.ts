import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type CallOptions, isWarmvmError, type PortForward, retryableDispose, WarmvmError } from '@warmvm/core/driver';
import { identityFor, type RenewalProof, renewGuest } from '@warmvm/guest-agent';
import { type AgentLink, agentLink } from './agent-link.ts';
import type { MachinePlan } from './command-line/machine-plan.ts';
import { fileOf, type Template } from './golden/template.ts';
import type { NamedProcessMark } from './home/mark.ts';
import { makeQemuFolder } from './home/private-folder.ts';
import { renewCard, setLink } from './network/card.ts';
import { openForwards } from './network/forwards.ts';
import type { Plug } from './network/plugs.ts';
import { writeOverlay } from './overlay/overlay.ts';
import { beginLoading, type Loading, resume } from './process/device-state.ts';
import type { Qemu } from './process/qemu.ts';
import { STATE_DESCRIPTOR } from './process/qemu-process.ts';
import { takeOver } from './process/take-over.ts';
import type { Workshop } from './workshop.ts';

/** Socket in a machine's folder on which a later owner reaches its monitor. */
const HEIR_SOCKET = 'heir';

/** Where an {@link Incarnation} is made. */
export interface IncarnationPlace {
  /** Id of the machine, for the process list. */
  readonly id: string;
  /** Private folder of the machine. */
  readonly directory: string;
  readonly generation: number;
}

interface IncarnationParts {
  readonly workshop: Workshop;
  readonly template: Template;
  readonly name: string;
  readonly qemu: Qemu;
  readonly agent: Duplex;
  readonly folder: string;
  /** Absent: it runs already. */
  readonly loading?: Loading;
  readonly plug?: Plug;
}

/** Folder of one incarnation in its machine's. It can be moved while QEMU runs in it. */
function folderOf({ directory, generation }: Omit<IncarnationPlace, 'id'>): string {
  return join(directory, `body-${generation}`);
}

/**
 * One generation of a machine: a QEMU, its overlay, and the way to its agent. It is thrown away as a whole; nothing of it can reach
 * the next one.
 */
export class Incarnation {
  /** What its QEMU was started as. */
  readonly name: string;
  readonly qemu: Qemu;
  readonly #workshop: Workshop;
  readonly #template: Template;
  readonly #loading: Loading | undefined;
  #folder: string;
  readonly #stream: Duplex;
  readonly #link: AgentLink;
  readonly #plug: Plug | undefined;
  #forwards: readonly PortForward[] = [];
  #loaded: Promise<void> | undefined;
  readonly #endOnce: () => Promise<void>;
  #endReason: WarmvmError | undefined;

  private constructor({ workshop, template, name, qemu, agent, folder, loading, plug }: IncarnationParts) {
    this.name = name;
    this.#workshop = workshop;
    this.#template = template;
    this.#loading = loading;
    this.#plug = plug;
    this.#folder = folder;
    this.#stream = agent;
    this.qemu = qemu;
    this.#link = agentLink(agent, workshop.options);
    this.#endOnce = retryableDispose(() => this.#end());
  }

  /** Starts a QEMU over an overlay of its own; it waits for {@link load}. @throws WARMVM_HOST_OPERATION; nothing is left then */
  static async start(
    workshop: Workshop,
    template: Template,
    place: IncarnationPlace,
    options: CallOptions,
  ): Promise<Incarnation> {
    options.signal?.throwIfAborted();
    const { manifest, directory } = template;
    const folder = folderOf(place);
    const plug = await workshop.plugs.take(manifest.plan.network, workshop.startLimits(options));
    try {
      await makeQemuFolder(folder);
      const { path, fileBytes } = await writeOverlay(join(folder, 'disk.qcow2'), {
        backingPath: fileOf(directory, 'disk'),
        backingFormat: manifest.diskFormat,
        virtualBytes: manifest.diskBytes,
        maxOverlayBytes: workshop.options.maxOverlayBytes,
      });
      const [first, ...others] = manifest.plan.disks;
      const backing = { ...first, path: fileOf(directory, 'disk'), format: manifest.diskFormat };
      const plan: MachinePlan = {
        ...manifest.plan,
        name: place.id,
        memory: { bytes: manifest.plan.memory.bytes, file: await workshop.memoryOf(template, options) },
        boot: { kind: 'state' },
        disks: [{ path, format: 'qcow2', fileBytes, backing }, ...others],
        ...(manifest.plan.generationId === undefined ? {} : { generationId: randomUUID() }),
        network: plug.plan,
        console: { kind: 'none' },
        incoming: true,
      };
      const where = { directory: folder, maxFileBytes: fileBytes, heir: HEIR_SOCKET };
      const { qemu, agent, stateSocket } = await workshop.start(plan, where, options);
      void qemu.process.ended.then(plug.giveBack);
      const loading = beginLoading(qemu, STATE_DESCRIPTOR, stateSocket, workshop.startLimits({}));
      return new Incarnation({ workshop, template, name: place.id, qemu, agent, folder, loading, plug });
    } catch (error) {
      plug.giveBack();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** What its machine's mark says of it. */
  get mark(): { readonly pid: number; readonly name: string } {
    return { pid: this.qemu.process.pid, name: this.name };
  }

  get agent(): AgentLink['agent'] {
    return this.#link.agent;
  }

  /** Loads the golden snapshot's devices; the guest stands still then. At once when that was done before. */
  load(options: CallOptions): Promise<void> {
    const limits = this.#workshop.startLimits(options);
    this.#loaded ??= this.#loading?.load(this.#template.state, limits) ?? Promise.resolve();
    return this.#loaded;
  }

  /** Lets the guest run from where the golden snapshot stands. */
  async run(options: CallOptions): Promise<void> {
    await this.load(options);
    await resume(this.qemu, this.#workshop.startLimits(options));
  }

  /** Becomes the next incarnation of a machine. */
  async moveTo(place: IncarnationPlace): Promise<void> {
    const folder = folderOf(place);
    await rename(this.#folder, folder);
    this.#folder = folder;
  }

  /** Renews the guest and takes the proof that memory and disk are those of the golden snapshot. @throws WARMVM_NOT_READY, WARMVM_MACHINE_CRASHED */
  async renew(machineName: string, options: CallOptions): Promise<RenewalProof> {
    const { agentTimeoutMs, clockToleranceMs, clock } = this.#workshop.options;
    const { renewal, generationId } = this.#template.manifest;
    try {
      const proof = await renewGuest(this.agent, {
        ...options,
        command: renewal,
        generationId: randomUUID(),
        ...identityFor(machineName),
        expectedPrevious: generationId,
        toleranceMs: clockToleranceMs,
        timeoutMs: agentTimeoutMs,
        timeoutOption: 'options.agentTimeoutMs',
        clock,
      });
      await this.#renewCard(this.#workshop.agentLimits(options));
      return proof;
    } catch (error) {
      // A guest that cannot answer because it is gone is not a guest that does not answer.
      const { state, reason } = this.qemu.present;
      if (state === 'running' || !isWarmvmError(error)) throw error;
      throw new WarmvmError('WARMVM_MACHINE_CRASHED', `the machine is ${state}: ${reason}`, { cause: error });
    }
  }

  async #renewCard(options: CallOptions & { readonly timeoutMs: number }): Promise<void> {
    const { card } = this.#template.manifest;
    const plan = this.#plug?.plan;
    if (card === undefined || plan === undefined || plan.kind === 'none') return;
    await renewCard({ agent: this.agent, qemu: this.qemu }, card, plan.mac, options);
    if (plan.kind === 'tap') await setLink(this.qemu, true, options);
  }

  /** Lets others in, once the guest is renewed and nobody else has the ports any more. @throws WARMVM_HOST_OPERATION */
  async openForwards(options: CallOptions): Promise<void> {
    const { plugs } = this.#workshop;
    this.#forwards = await openForwards(this.qemu, plugs.forwards, this.#workshop.startLimits(options));
  }

  /** Ports that lead to the guest. */
  get forwards(): readonly PortForward[] {
    return this.#forwards;
  }

  /** Takes over one that runs for a living owner. @throws as {@link takeOver} does; it stays whose it was then */
  static async inherit(
    workshop: Workshop,
    template: Template,
    place: IncarnationPlace & { readonly process: NamedProcessMark },
    options: CallOptions,
  ): Promise<Incarnation> {
    const { clock } = workshop.options;
    const folder = folderOf(place);
    const heir = { directory: folder, socket: HEIR_SOCKET, process: place.process };
    const { qemu, agent } = await takeOver(heir, { ...workshop.startLimits(options), clock });
    return new Incarnation({ workshop, template, name: place.process.name, qemu, agent, folder });
  }

  /** Calls to the guest reject with the reason from now on; nothing waits for it. */
  silence(reason: WarmvmError): void {
    this.#stream.destroy(reason);
  }

  /** It has another owner: lets go of it without a touch. */
  async leave(reason: WarmvmError): Promise<void> {
    this.silence(reason);
    await this.qemu.release();
  }

  /**
   * Kills the QEMU, waits until it is gone, and removes its folder. Calls to the guest reject with the first reason from now on.
   * Idempotent; one that was rejected may be asked for again.
   * @throws WARMVM_HOST_OPERATION (`retryable`) when the process does not end; what the file system says
   */
  end(reason: WarmvmError): Promise<void> {
    this.#endReason ??= reason;
    return this.#endOnce();
  }

  async #end(): Promise<void> {
    this.#stream.destroy(this.#endReason);
    await this.qemu.kill();
    await this.#link[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
