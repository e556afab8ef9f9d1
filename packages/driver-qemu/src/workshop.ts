import { homedir } from 'node:os';
import { join } from 'node:path';
import { type CallOptions, type GoldenImage, type HostReport, JoinedJobs } from '@warmvm/core/driver';
import { type MachinePlan, qemuProgram } from './command-line/machine-plan.ts';
import {
  type CgroupParent,
  cgroupLimits,
  createCgroup,
  joinCgroup,
  removeCgroup,
  removeCgroupsOf,
} from './containment/cgroup.ts';
import { type FoundContainment, findContainment } from './containment/find-containment.ts';
import type { ContainedUser } from './containment/launch.ts';
import { requirePassable, shareFolder } from './containment/shared-files.ts';
import { leftBehind } from './driver-errors.ts';
import { LoadedTemplates } from './golden/loaded-templates.ts';
import { StateFolder } from './home/state-folder.ts';
import { type HostFacts, hasSandbox, hostFacts } from './host.ts';
import { Plugs } from './network/plugs.ts';
import type { ParsedOptions } from './options.ts';
import type { Qemu } from './process/qemu.ts';
import { type StartProcess, startProcess } from './process/qemu-process.ts';
import { type StartedQemu, startQemu } from './process/start-qemu.ts';
import { useTemplate } from './state-directory/template-cache.ts';

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
  #open = false;
  readonly #leaving = new Set<Promise<void>>();
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
    const { safeguards } = await this.#found(call);
    return { ...report, containment: safeguards };
  }

  /** What keeps QEMU in its place here, with our folders open to it. */
  async containment(call: CallOptions): Promise<FoundContainment> {
    const found = await this.#found(call);
    await this.#letIn(found.user);
    return found;
  }

  /** Asked once, and again after it failed. */
  async #found({ signal }: CallOptions): Promise<FoundContainment> {
    signal?.throwIfAborted();
    const { user, cgroup } = this.options;
    this.#containment ??= await this.#finding.join('', signal, () =>
      findContainment({
        sandbox: hasSandbox,
        ...(user === undefined ? {} : { user }),
        ...(cgroup === undefined ? {} : { cgroup }),
      }),
    );
    return this.#containment;
  }

  /** QEMU of another user passes through our folders, and sees nothing there but what is its machine's. */
  async #letIn(user: ContainedUser | undefined): Promise<void> {
    if (user === undefined || this.#open) return;
    for (const folder of [this.state.path, this.state.machines, this.state.goldens]) {
      await shareFolder(folder, 'read', user);
    }
    await requirePassable(this.state.machines, user);
    this.#open = true;
  }

  /** Whom QEMU runs as, when that is somebody else. */
  async user(call: CallOptions): Promise<ContainedUser | undefined> {
    return (await this.containment(call)).user;
  }

  async start(plan: MachinePlan, directory: string, maxFileBytes: number, call: CallOptions): Promise<StartedQemu> {
    const containment = await this.containment(call);
    const started = await startQemu(plan, {
      program: this.options.binary ?? qemuProgram(plan.architecture),
      directory,
      maxFileBytes,
      containment,
      clock: this.options.clock,
      start: this.#start,
    });
    if (containment.cgroup === undefined) return started;
    try {
      await this.#limit(plan, started.qemu, containment.cgroup);
      return started;
    } catch (error) {
      await started.qemu.kill();
      throw error;
    }
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

/** Where state is kept unless `options.stateDirectory` says otherwise. Root's home is closed to the user that QEMU runs as then. */
export function defaultStateDirectory(): string {
  if (process.getuid?.() === 0) return '/var/lib/warmvm/qemu';
  const base = process.env.XDG_STATE_HOME;
  return join(base?.startsWith('/') === true ? base : join(homedir(), '.local', 'state'), 'warmvm', 'qemu');
}
