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
  #line = Promise.withResolvers<void>();

  constructor(session: Session, dom: DomainRef) {
    this.#session = session;
    this.#dom = dom;
  }

  lineBegan(): void {
    this.#endedAtMs = Number.NEGATIVE_INFINITY;
    this.#line = Promise.withResolvers();
  }

  lineEnded(): void {
    this.#endedAtMs = this.#session.clock.now();
    this.#line.resolve();
  }

  /** libvirt knows of the end by itself: from now on its answers are right, and quick. */
  reaped(): void {
    this.#endedAtMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * What is known at once: a machine that seems to have died is `stopping`, as its watchers have been told. libvirt's answer is not waited
   * for: it comes when the process has been reaped.
   */
  async look(options: CallOptions): Promise<ObservedState> {
    options.signal?.throwIfAborted();
    if (this.#mayBeLate()) return DYING;
    const answer = this.#session.state(this.#dom, options);
    answer.catch(() => {});
    const first = await Promise.race([answer, this.#line.promise.then(() => undefined)]);
    if (first === undefined) return this.#mayBeLate() ? DYING : answer;
    return first.state === 'running' && this.#mayBeLate() ? DYING : first;
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

const DYING: ObservedState = { state: 'stopping', reason: LINE_CLOSED };
