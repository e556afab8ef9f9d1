import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CallOptions, GoldenImage } from '@warmvm/core/driver';
import { type MachinePlan, qemuProgram } from './command-line/machine-plan.ts';
import type { NetworkPlan } from './command-line/network-plan.ts';
import type { Containment } from './containment/launch.ts';
import { StateFolder } from './home/state-folder.ts';
import { type HostFacts, hostFacts } from './host.ts';
import type { ParsedOptions } from './options.ts';
import { type StartProcess, startProcess } from './process/qemu-process.ts';
import { type StartedQemu, startQemu } from './process/start-qemu.ts';

/** What all parts of the driver work with. */
export class Workshop {
  readonly options: ParsedOptions;
  readonly state: StateFolder;
  readonly #start: StartProcess;
  #facts: Promise<HostFacts> | undefined;
  readonly #containment: Containment = { setpriv: '/usr/bin/setpriv', prlimit: '/usr/bin/prlimit', missing: [] };

  constructor(options: ParsedOptions, start: StartProcess = startProcess) {
    this.options = options;
    this.#start = start;
    this.state = new StateFolder(options.stateDirectory ?? defaultStateDirectory());
  }

  /** Asked once; anew after it failed. */
  async host(call: CallOptions): Promise<HostFacts> {
    const asked = this.#facts ?? hostFacts(this.options, call);
    this.#facts = asked;
    try {
      return await asked;
    } catch (error) {
      this.#facts = undefined;
      throw error;
    }
  }

  network(image: GoldenImage): NetworkPlan {
    if (image.network === 'none') return { kind: 'none' };
    return { kind: 'user', restrict: false, forwards: [], mac: '52:54:00:12:34:56' };
  }

  start(plan: MachinePlan, directory: string, maxFileBytes: number): Promise<StartedQemu> {
    return startQemu(plan, {
      program: this.options.binary ?? qemuProgram(plan.architecture),
      directory,
      maxFileBytes,
      containment: this.#containment,
      clock: this.options.clock,
      start: this.#start,
    });
  }
}

function defaultStateDirectory(): string {
  const base = process.env.XDG_STATE_HOME;
  return join(base?.startsWith('/') === true ? base : join(homedir(), '.local', 'state'), 'warmvm', 'qemu');
}
