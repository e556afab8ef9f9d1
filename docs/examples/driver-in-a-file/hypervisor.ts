// Stands for what a driver is written for: somebody else's hypervisor, with its own words, its own errors, and no idea of pools.
import { sleep, systemClock } from '@warmvm/core/driver';

/** What one call takes. */
const CALL_MS = 2;

/** One virtual machine. Notes are free text of whoever made it. */
export interface Vm {
  readonly name: string;
  readonly notes: string;
  readonly power: 'off' | 'on' | 'dead';
}

/** What the hypervisor throws. */
export class ShoeboxError extends Error {
  readonly reason: 'no such vm' | 'unplugged' | 'refused';

  constructor(reason: ShoeboxError['reason'], what: string) {
    super(`${reason}: ${what}`);
    this.reason = reason;
  }
}

/** A hypervisor in a shoebox. */
export class Shoebox {
  readonly vms: Map<string, Vm> = new Map();
  /** False: nobody gets through. */
  plugged = true;
  /** Calls that it refuses at present, as `stop machine-1`, or as `stop` for all. */
  readonly refused: Set<string> = new Set();

  async list(): Promise<readonly Vm[]> {
    await this.#call('list');
    return [...this.vms.values()];
  }

  async define(name: string, notes: string): Promise<void> {
    await this.#call('define', name);
    this.vms.set(name, { name, notes, power: 'off' });
  }

  async annotate(name: string, notes: string): Promise<void> {
    await this.#call('annotate', name);
    this.vms.set(name, { ...this.#vm(name), notes });
  }

  /** Boots a copy of another machine's disk. */
  async boot(name: string, from: string): Promise<void> {
    await this.#call('boot', name);
    this.#vm(from);
    this.vms.set(name, { ...this.#vm(name), power: 'on' });
  }

  async power(name: string): Promise<Vm['power']> {
    await this.#call('power', name);
    return this.#vm(name).power;
  }

  async stop(name: string): Promise<void> {
    await this.#call('stop', name);
    this.vms.set(name, { ...this.#vm(name), power: 'off' });
  }

  async undefine(name: string): Promise<void> {
    await this.#call('undefine', name);
    this.#vm(name);
    this.vms.delete(name);
  }

  #vm(name: string): Vm {
    const vm = this.vms.get(name);
    if (vm === undefined) throw new ShoeboxError('no such vm', name);
    return vm;
  }

  async #call(what: string, name = ''): Promise<void> {
    if (this.plugged) await sleep(systemClock, CALL_MS);
    if (!this.plugged) throw new ShoeboxError('unplugged', what);
    if (this.refused.has(what) || this.refused.has(`${what} ${name}`)) throw new ShoeboxError('refused', what);
  }
}
