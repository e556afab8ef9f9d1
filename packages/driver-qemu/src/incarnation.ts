import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallOptions, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import { identityFor, type RenewalProof, renewGuest } from '@warmvm/guest-agent';
import { type AgentLink, agentLink } from './agent-link.ts';
import type { MachinePlan } from './command-line/machine-plan.ts';
import type { Template } from './golden/template.ts';
import { fileOf } from './golden/template.ts';
import { writeOverlay } from './overlay/overlay.ts';
import { beginLoading, type Loading, resume } from './process/device-state.ts';
import type { Qemu } from './process/qemu.ts';
import { STATE_DESCRIPTOR } from './process/qemu-process.ts';
import type { Workshop } from './workshop.ts';

/** Where an {@link Incarnation} is made. */
export interface IncarnationPlace {
  /** Name for the process list. */
  readonly name: string;
  /** Private folder of the machine. */
  readonly directory: string;
}

/**
 * One generation of a machine: a QEMU, its overlay, and the way to its agent. It is thrown away as a whole; nothing of it can reach
 * the next one.
 */
export class Incarnation {
  readonly qemu: Qemu;
  readonly #workshop: Workshop;
  readonly #template: Template;
  readonly #loading: Loading;
  readonly #overlay: string;
  readonly #link: AgentLink;
  #ended: Promise<void> | undefined;

  private constructor(workshop: Workshop, template: Template, qemu: Qemu, loading: Loading, overlay: string) {
    this.#workshop = workshop;
    this.#template = template;
    this.#loading = loading;
    this.#overlay = overlay;
    this.qemu = qemu;
    this.#link = agentLink(qemu.agent, workshop.options.clock);
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
    const overlay = join(place.directory, `disk-${randomUUID()}.qcow2`);
    const backing = { path: fileOf(directory, 'disk'), format: manifest.diskFormat };
    const { fileBytes } = await writeOverlay(overlay, {
      backingPath: backing.path,
      backingFormat: backing.format,
      virtualBytes: manifest.diskBytes,
    });
    const plan: MachinePlan = {
      ...manifest.plan,
      name: place.name,
      memory: { bytes: manifest.plan.memory.bytes, file: { path: fileOf(directory, 'memory'), share: false } },
      boot: { kind: 'state' },
      disks: [{ path: overlay, format: 'qcow2', fileBytes, backing }],
      ...(manifest.plan.generationId === undefined ? {} : { generationId: randomUUID() }),
      incoming: true,
    };
    try {
      const { qemu, stateSocket } = await workshop.start(plan, place.directory, fileBytes);
      const limits = { timeoutMs: workshop.options.startTimeoutMs };
      return new Incarnation(
        workshop,
        template,
        qemu,
        beginLoading(qemu, STATE_DESCRIPTOR, stateSocket, limits),
        overlay,
      );
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
    await this.#loading.load(this.#template.state, limits);
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

  /**
   * Kills the QEMU, waits until it is gone, and removes its overlay. Calls to the guest reject with the reason from now on. Idempotent.
   */
  end(reason: WarmvmError): Promise<void> {
    this.#ended ??= this.#end(reason);
    return this.#ended;
  }

  async #end(reason: WarmvmError): Promise<void> {
    this.qemu.agent.destroy(reason);
    await this.qemu.kill();
    await this.#link[Symbol.asyncDispose]();
    await rm(this.#overlay, { force: true });
  }
}
