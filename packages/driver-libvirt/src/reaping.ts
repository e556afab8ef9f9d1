import { type CallOptions, sleep } from '@warmvm/core/driver';
import type { DomainRef } from '@warmvm/libvirt';
import type { ObservedState } from './lifecycle.ts';
import type { Session } from './session.ts';

/** libvirtd may take that long to see a QEMU that has died, and this is how often it is asked meanwhile. */
const LONGEST_MS = 1_000;
const POLL_MS = 20;

/**
 * What libvirt says of a machine whose agent's line has ended: "running" until a QEMU that has died has been reaped. A line may end without its machine, so
 * libvirt is believed in the end.
 */
export class Reaping {
  readonly #session: Session;
  readonly #dom: DomainRef;
  #endedAtMs = Number.NEGATIVE_INFINITY;

  constructor(session: Session, dom: DomainRef) {
    this.#session = session;
    this.#dom = dom;
  }

  lineBegan(): void {
    this.#endedAtMs = Number.NEGATIVE_INFINITY;
  }

  lineEnded(): void {
    this.#endedAtMs = this.#session.clock.now();
  }

  /** What is known at once: a machine that seems to have died is `stopping`, as its watchers have been told. */
  async look(options: CallOptions): Promise<ObservedState> {
    const observed = await this.#session.state(this.#dom, options);
    return observed.state === 'running' && this.#mayBeLate() ? { state: 'stopping', reason: LINE_CLOSED } : observed;
  }

  /** What is true, once libvirt can know it. */
  async settled(options: CallOptions): Promise<ObservedState> {
    for (;;) {
      const observed = await this.#session.state(this.#dom, options);
      if (observed.state !== 'running' || !this.#mayBeLate()) return observed;
      await sleep(this.#session.clock, POLL_MS, options.signal);
    }
  }

  #mayBeLate(): boolean {
    return this.#session.clock.now() - this.#endedAtMs < LONGEST_MS;
  }
}

/** Why such a machine is said to be stopping. */
export const LINE_CLOSED = 'its agent channel has closed';
