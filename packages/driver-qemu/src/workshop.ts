import { homedir } from 'node:os';
import { join } from 'node:path';
import { type CallOptions, type GoldenImage, type HostReport, JoinedJobs } from '@warmvm/core/driver';
import type { MachinePlan, MemoryPlan } from './command-line/machine-plan.ts';
import {
  type CgroupParent,
  cgroupLimits,
  createCgroup,
  joinCgroup,
  removeCgroup,
  removeCgroupsOf,
} from './containment/cgroup.ts';
import { type FoundContainment, findContainment } from './containment/find-containment.ts';
import { identityFor } from './containment/identity.ts';
import { leftBehind } from './driver-errors.ts';
import { LoadedTemplates } from './golden/loaded-templates.ts';
import { SealedMemories } from './golden/sealed-memory.ts';
import { fileOf, type Template } from './golden/template.ts';
import { StateFolder } from './home/state-folder.ts';
import { type HostFacts, hasSandbox, hostFacts } from './host.ts';
import { Plugs } from './network/plugs.ts';
import type { ParsedOptions } from './options.ts';
import type { Qemu, QemuCallOptions } from './process/qemu.ts';
import { type StartProcess, startProcess } from './process/qemu-process.ts';
import { type QemuPlace, type StartedQemu, startQemu } from './process/start-qemu.ts';
import { useTemplate } from './state-directory/template-cache.ts';

/** Where a QEMU runs, and what it may write there. */
export type StartPlace = Pick<QemuPlace, 'directory' | 'maxFileBytes' | 'heir'>;

/** What all parts of the driver work with. */
export class Workshop {
  readonly options: ParsedOptions;
  readonly state: StateFolder;
  readonly plugs: Plugs;
  readonly templates: LoadedTemplates = new LoadedTemplates();
  readonly #start: StartProcess;
  readonly #facts = new Map<GoldenImage['architecture'], HostFacts>();
  readonly #asking = new JoinedJobs<HostFacts>();
  #containment: FoundContainment | undefined;
  readonly #finding = new JoinedJobs<FoundContainment>();
  /** What has to end, and did not when it was to: dispose of the driver tries again. */
  readonly #owed = new Set<() => Promise<void>>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #sealed = new SealedMemories();
  readonly #held = new Map<string, AsyncDisposable>();
  #atWork = 0;
  readonly #resting: (() => void)[] = [];

  constructor(options: ParsedOptions, start: StartProcess = startProcess) {
    this.options = options;
    this.#start = start;
    this.plugs = new Plugs(options.network, options.clock);
    this.state = new StateFolder(options.stateDirectory ?? defaultStateDirectory(), options.clock);
  }

  /** Runs what somebody waits for: what can wait waits for it. */
  async atWork<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#atWork += 1;
    try {
      return await work();
    } finally {
      this.#atWork -= 1;
      if (this.#atWork === 0) for (const wake of this.#resting.splice(0)) wake();
    }
  }

  /** Resolves when nothing is at work. */
  async rest(): Promise<void> {
    while (this.#atWork > 0) await new Promise<void>((resolve) => this.#resting.push(resolve));
  }

  /** What this computer is for guests of an architecture. Asked once, and again after it failed; each caller leaves by its own signal. */
  async host(architecture: GoldenImage['architecture'], call: CallOptions): Promise<HostFacts> {
    const known = this.#facts.get(architecture);
    if (known !== undefined) return known;
    const facts = await this.#asking.join(architecture, call.signal, (signal) =>
      hostFacts(this.options, architecture, { signal }),
    );
    this.#facts.set(architecture, facts);
    return facts;
  }

  /** What this computer is for guests of an architecture, and what contains machines on it. */
  async report(architecture: GoldenImage['architecture'], call: CallOptions): Promise<HostReport> {
    const { report } = await this.host(architecture, call);
    const { safeguards } = await this.containment(call);
    return { ...report, containment: safeguards };
  }

  /** What keeps QEMU in its place here. Asked once, and again after it failed. */
  async containment({ signal }: CallOptions): Promise<FoundContainment> {
    signal?.throwIfAborted();
    const { user, userIds, cgroup } = this.options;
    this.#containment ??= await this.#finding.join('', signal, () =>
      findContainment({
        sandbox: hasSandbox,
        ...(user === undefined ? {} : { user }),
        ...(userIds === undefined ? {} : { userIds }),
        ...(cgroup === undefined ? {} : { cgroup }),
      }),
    );
    return this.#containment;
  }

  /** Limits of a call to a QEMU that is started or adopted. */
  startLimits({ signal }: CallOptions): QemuCallOptions {
    const { startTimeoutMs } = this.options;
    return { timeoutMs: startTimeoutMs, option: 'options.startTimeoutMs', ...(signal === undefined ? {} : { signal }) };
  }

  /** Limits of a call that the guest has a part in. */
  agentLimits({ signal }: CallOptions): QemuCallOptions {
    const { agentTimeoutMs } = this.options;
    return { timeoutMs: agentTimeoutMs, option: 'options.agentTimeoutMs', ...(signal === undefined ? {} : { signal }) };
  }

  /** Starts a QEMU as a user of its own, where the host has one for it. @throws WARMVM_HOST_OPERATION */
  async start(plan: MachinePlan, place: StartPlace, call: CallOptions): Promise<StartedQemu> {
    const found = await this.containment(call);
    const { program } = await this.host(plan.architecture, call);
    const { containment, giveBack } = await identityFor(plan.network, found);
    let started: StartedQemu;
    try {
      const { clock } = this.options;
      started = await startQemu(plan, { ...place, program, containment, clock, start: this.#start });
    } catch (error) {
      giveBack();
      throw error;
    }
    void started.qemu.process.ended.then(giveBack);
    if (found.cgroup === undefined) return started;
    try {
      await this.#limit(plan, started.qemu, found.cgroup);
      return started;
    } catch (error) {
      await started.qemu.kill();
      throw error;
    }
  }

  /** The file that forks of a template map: one that no QEMU can write to. @throws WARMVM_HOST_OPERATION where there is no such file */
  async memoryOf(template: Template, call: CallOptions): Promise<NonNullable<MemoryPlan['file']>> {
    const { opensReadOnly } = await this.host(template.manifest.plan.architecture, call);
    if (opensReadOnly) return { path: fileOf(template.directory, 'memory'), share: false, readOnly: true };
    const memory = await this.#sealed.of(template, await this.containment(call), call);
    return { path: `/proc/self/fd/${memory.fd}`, share: false };
  }

  /** Removes the cgroups that a machine was in. */
  async removeCgroups(id: string): Promise<void> {
    const { cgroup } = await this.containment({});
    if (cgroup !== undefined) await removeCgroupsOf(cgroup, id, this.options.clock);
  }

  /** Keeps a template from being collected until {@link close}. Under its lock. */
  async hold(template: string): Promise<void> {
    if (this.#held.has(template)) return;
    this.#held.set(template, await useTemplate(this.state.goldens, template, this.options.clock));
  }

  /** Ends what nobody waits for. What does not end now, {@link close} tries again. */
  later(end: () => Promise<void>): void {
    this.#owed.add(end);
    end().then(
      () => this.#owed.delete(end),
      () => {},
    );
  }

  /**
   * Removes what a call that failed has made.
   * @throws the same failure with `details.leftBehind` when that fails too; {@link close} tries again then
   */
  async takeBack(id: string, failure: unknown, remove: () => Promise<void>): Promise<void> {
    try {
      await remove();
    } catch (cause) {
      this.#owed.add(remove);
      throw leftBehind(id, failure, cause);
    }
  }

  /** Releases templates, and waits for what no call waited for. @throws the first failure; the rest is done, and close may be repeated */
  async close(): Promise<void> {
    await Promise.allSettled(this.#leaving);
    const ends = [...this.#owed].map(async (end) => {
      await end();
      this.#owed.delete(end);
    });
    const failures = (await Promise.allSettled(ends)).filter((settled) => settled.status === 'rejected');
    for (const [template, use] of this.#held) {
      await use[Symbol.asyncDispose]();
      this.#held.delete(template);
    }
    await this.#sealed.close();
    for (const { reason } of failures) throw reason;
  }

  /** Until its guest runs, a QEMU that waits for its state does nothing worth a limit. */
  async #limit(
    { name, memory, virtualCpus, acceleration }: MachinePlan,
    qemu: Qemu,
    parent: CgroupParent,
  ): Promise<void> {
    const limits = cgroupLimits({ memoryBytes: memory.bytes, virtualCpus, acceleration });
    const path = await createCgroup(parent, name, limits);
    const left = qemu.process.ended.then(() => removeCgroup(path, this.options.clock));
    this.#leaving.add(left);
    // What stays is found by its name, with the machine it belonged to.
    left.catch(() => {}).finally(() => this.#leaving.delete(left));
    await joinCgroup(path, qemu.process.pid);
  }
}

/** Where state is kept unless `options.stateDirectory` says otherwise. */
export function defaultStateDirectory(): string {
  if (process.getuid?.() === 0) return '/var/lib/warmvm/qemu';
  const base = process.env.XDG_STATE_HOME;
  return join(base?.startsWith('/') === true ? base : join(homedir(), '.local', 'state'), 'warmvm', 'qemu');
}
