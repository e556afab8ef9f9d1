import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type CallOptions, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import { identityFor, type RenewalProof, renewGuest } from '@warmvm/guest-agent';
import { type AgentLink, agentLink } from './agent-link.ts';
import type { MachinePlan } from './command-line/machine-plan.ts';
import { shareFolder } from './containment/shared-files.ts';
import { fileOf, type Template } from './golden/template.ts';
import type { ProcessMark } from './home/mark.ts';
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
  /** Name for the process list. */
  readonly name: string;
  /** Private folder of the machine. */
  readonly directory: string;
  readonly generation: number;
}

interface IncarnationParts {
  readonly workshop: Workshop;
  readonly template: Template;
  readonly qemu: Qemu;
  readonly agent: Duplex;
  readonly overlay: string;
  /** Absent: it runs already. */
  readonly loading?: Loading;
}

function overlayOf({ directory, generation }: IncarnationPlace): string {
  return join(directory, `disk-${generation}.qcow2`);
}

/**
 * One generation of a machine: a QEMU, its overlay, and the way to its agent. It is thrown away as a whole; nothing of it can reach
 * the next one.
 */
export class Incarnation {
  readonly qemu: Qemu;
  readonly #workshop: Workshop;
  readonly #template: Template;
  readonly #loading: Loading | undefined;
  readonly #overlay: string;
  readonly #stream: Duplex;
  readonly #link: AgentLink;
  #ended: Promise<void> | undefined;

  private constructor({ workshop, template, qemu, agent, overlay, loading }: IncarnationParts) {
    this.#workshop = workshop;
    this.#template = template;
    this.#loading = loading;
    this.#overlay = overlay;
    this.#stream = agent;
    this.qemu = qemu;
    this.#link = agentLink(agent, workshop.options.clock);
  }

  /** Starts a QEMU over an overlay of its own; it waits for {@link run}. @throws WARMVM_HOST_OPERATION; nothing is left then */
  static async start(
    workshop: Workshop,
    template: Template,
    place: IncarnationPlace,
    options: CallOptions,
  ): Promise<Incarnation> {
    options.signal?.throwIfAborted();
    const { manifest, directory } = template;
    const overlay = overlayOf(place);
    const backing = { path: fileOf(directory, 'disk'), format: manifest.diskFormat };
    const user = await workshop.user(options);
    await shareFolder(place.directory, 'write', user);
    const { fileBytes } = await writeOverlay(overlay, {
      backingPath: backing.path,
      backingFormat: backing.format,
      virtualBytes: manifest.diskBytes,
      maxOverlayBytes: workshop.options.maxOverlayBytes,
      ...(user === undefined ? {} : { group: user.gid }),
    });
    const plan: MachinePlan = {
      ...manifest.plan,
      name: place.name,
      memory: { bytes: manifest.plan.memory.bytes, file: { path: fileOf(directory, 'memory'), share: false } },
      boot: { kind: 'state' },
      disks: [{ path: overlay, format: 'qcow2', fileBytes, backing }, ...manifest.plan.disks.slice(1)],
      ...(manifest.plan.generationId === undefined ? {} : { generationId: randomUUID() }),
      heir: { kind: 'listen', path: join(place.directory, HEIR_SOCKET) },
      incoming: true,
    };
    try {
      const { qemu, agent, stateSocket } = await workshop.start(plan, place.directory, fileBytes, options);
      const limits = { timeoutMs: workshop.options.startTimeoutMs };
      const loading = beginLoading(qemu, STATE_DESCRIPTOR, stateSocket, limits);
      return new Incarnation({ workshop, template, qemu, agent, overlay, loading });
    } catch (error) {
      await rm(overlay, { force: true });
      throw error;
    }
  }

  get agent(): AgentLink['agent'] {
    return this.#link.agent;
  }

  /** Loads the golden snapshot's devices and lets the guest run. */
  async run(options: CallOptions): Promise<void> {
    const limits = { ...options, timeoutMs: this.#workshop.options.startTimeoutMs };
    await this.#loading?.load(this.#template.state, limits);
    await resume(this.qemu, limits);
  }

  /** Renews the guest and takes the proof that memory and disk are those of the golden snapshot. @throws WARMVM_NOT_READY, WARMVM_MACHINE_CRASHED */
  async renew(machineName: string, options: CallOptions): Promise<RenewalProof> {
    const { agentTimeoutMs, clockToleranceMs, clock } = this.#workshop.options;
    const { renewal, generationId } = this.#template.manifest;
    try {
      return await renewGuest(this.agent, {
        ...options,
        command: renewal,
        generationId: randomUUID(),
        ...identityFor(machineName),
        expectedPrevious: generationId,
        toleranceMs: clockToleranceMs,
        timeoutMs: agentTimeoutMs,
        clock,
      });
    } catch (error) {
      // A guest that cannot answer because it is gone is not a guest that does not answer.
      const { state, reason } = this.qemu.present;
      if (state === 'running' || !isWarmvmError(error)) throw error;
      throw new WarmvmError('WARMVM_MACHINE_CRASHED', `the machine is ${state}: ${reason}`, { cause: error });
    }
  }

  /** Takes over one that runs for a living owner. @throws as {@link takeOver} does; it stays whose it was then */
  static async inherit(
    workshop: Workshop,
    template: Template,
    place: IncarnationPlace & { readonly process: ProcessMark },
    options: CallOptions,
  ): Promise<Incarnation> {
    const { startTimeoutMs, clock } = workshop.options;
    const heir = { socketPath: join(place.directory, HEIR_SOCKET), directory: place.directory, process: place.process };
    const { qemu, agent } = await takeOver(heir, { ...options, timeoutMs: startTimeoutMs, clock });
    return new Incarnation({ workshop, template, qemu, agent, overlay: overlayOf(place) });
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
   * Kills the QEMU, waits until it is gone, and removes its overlay. Calls to the guest reject with the reason from now on. Idempotent.
   */
  end(reason: WarmvmError): Promise<void> {
    this.#ended ??= this.#end(reason);
    return this.#ended;
  }

  async #end(reason: WarmvmError): Promise<void> {
    this.#stream.destroy(reason);
    await this.qemu.kill();
    await this.#link[Symbol.asyncDispose]();
    await rm(this.#overlay, { force: true });
  }
}
