import type { CallOptions } from '../driver/call.ts';
import { checkCallOptions, checkDurationMs, checkKeys, checkMethods, checkSignal } from '../validation/check.ts';
import type { Lease } from './lease.ts';
import {
  type CheckedPoolOptions,
  checkAcquireTimeoutMs,
  checkLeaseMs,
  checkPriority,
  checkSize,
} from './parse-options.ts';
import type { AcquireOptions, CloseOptions, CloseReport, Pool, ResizeOptions } from './pool.ts';
import { PoolEngine } from './pool-engine.ts';
import { closedError, exhaustedError } from './pool-errors.ts';
import type { PoolEvent } from './pool-event.ts';
import type { PoolStats } from './pool-stats.ts';
import type { Slot } from './slot.ts';
import { countSupply } from './supply.ts';
import { Waiter } from './waiter-line.ts';

const CALL_OPTIONS = ['signal'];
const ACQUIRE_OPTIONS = ['signal', 'timeoutMs', 'leaseMs', 'priority'];

/** The pool as its users see it. */
export class WarmPool implements Pool {
  readonly #engine: PoolEngine;

  constructor(options: CheckedPoolOptions) {
    this.#engine = new PoolEngine(options);
  }

  get name(): string {
    return this.#engine.options.name;
  }

  async ready(options: CallOptions = {}): Promise<void> {
    checkCallOptions('options', options, CALL_OPTIONS);
    const signal = checkSignal('signal', options.signal);
    signal?.throwIfAborted();
    const engine = this.#engine;
    if (engine.closing) throw closedError(this.name);
    if (engine.isReady) return;
    const { failure } = engine.fleet;
    if (failure !== undefined) throw failure.error;
    return engine.readyGate.wait(signal);
  }

  acquire(options?: AcquireOptions): Promise<Lease> {
    const engine = this.#engine;
    let leaseMs: number;
    let timeoutMs: number;
    let signal: AbortSignal | undefined;
    let priority = 0;
    try {
      ({ leaseMs } = engine.options);
      timeoutMs = engine.options.acquireTimeoutMs;
      if (options !== undefined) {
        checkCallOptions('options', options, ACQUIRE_OPTIONS);
        if (options.leaseMs !== undefined) leaseMs = checkLeaseMs(options.leaseMs);
        if (options.timeoutMs !== undefined) timeoutMs = checkAcquireTimeoutMs('timeoutMs', options.timeoutMs);
        if (options.priority !== undefined) priority = checkPriority(options.priority);
        signal = checkSignal('signal', options.signal);
        if (signal?.aborted) {
          engine.counters.aborted += 1;
          engine.acquireSettled('aborted', 0);
          return Promise.reject(signal.reason);
        }
      }
      const slot = this.#lendable();
      if (slot !== undefined) return Promise.resolve(this.#lend(slot, leaseMs));
      this.#checkMayWait(timeoutMs);
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      const sinceMs = engine.now();
      const waiter = new Waiter(engine.line, { sinceMs, leaseMs, signal, priority }, resolve, reject);
      engine.line.join(waiter, sinceMs + timeoutMs);
      engine.demandGrew();
    });
  }

  tryAcquire(options: Pick<AcquireOptions, 'leaseMs'> = {}): Lease {
    checkCallOptions('options', options, ['leaseMs']);
    const leaseMs = options.leaseMs === undefined ? this.#engine.options.leaseMs : checkLeaseMs(options.leaseMs);
    const slot = this.#lendable();
    if (slot === undefined) throw this.#refuse('nothing is ready now');
    return this.#lend(slot, leaseMs);
  }

  stats(): PoolStats {
    return this.#engine.stats();
  }

  events(): AsyncIterableIterator<PoolEvent> {
    return this.#engine.hub.read();
  }

  resize(size: ResizeOptions): void {
    checkMethods('size', size, [], 'an object of minReady and max');
    checkKeys('size', size, ['minReady', 'max']);
    const { demand, hub, retirer, hosts } = this.#engine;
    const standby = hosts.reduce((sum, host) => sum + host.standby, 0);
    const checked = checkSize(size.minReady ?? demand.minReady, size.max ?? demand.max + standby, hosts);
    demand.minReady = checked.minReady;
    demand.max = checked.max;
    hub.emit({ type: 'resized', ...checked });
    if (this.#engine.closing) return;
    retirer.run();
    this.#engine.pump();
  }

  async drain(host: string, options: CallOptions = {}): Promise<boolean> {
    checkCallOptions('options', options, CALL_OPTIONS);
    const signal = checkSignal('signal', options.signal);
    const { fleet, closing } = this.#engine;
    const found = fleet.get(host);
    signal?.throwIfAborted();
    if (closing) throw closedError(this.name);
    return fleet.drain(found, signal);
  }

  undrain(host: string): void {
    const { fleet } = this.#engine;
    fleet.undrain(fleet.get(host));
  }

  suspend(): void {
    if (this.#engine.suspended) return;
    this.#engine.suspended = true;
    this.#engine.hub.emit({ type: 'suspended' });
  }

  resume(): void {
    if (!this.#engine.suspended) return;
    this.#engine.suspended = false;
    this.#engine.hub.emit({ type: 'resumed' });
    this.#engine.pump();
  }

  async close(options: CloseOptions = {}): Promise<CloseReport> {
    checkCallOptions('options', options, ['graceMs', 'signal']);
    const graceMs = checkDurationMs('graceMs', options.graceMs ?? 0, { minimum: 0 });
    const signal = checkSignal('signal', options.signal);
    const closing = this.#engine.close();
    closing.grace(graceMs);
    this.#engine.pump();
    return closing.wait(signal === undefined ? {} : { signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The slot to lend from to a caller who comes now. */
  #lendable(): Slot | undefined {
    const engine = this.#engine;
    if (engine.closing) throw closedError(this.name);
    return engine.suspended || engine.line.length > 0 ? undefined : engine.clocks.lendable;
  }

  #lend(slot: Slot, leaseMs: number): Lease {
    const engine = this.#engine;
    engine.counters.warm += 1;
    const lease = engine.desk.grant(slot, leaseMs, engine.now());
    engine.acquireSettled('warm', 0, lease);
    engine.demandGrew();
    return lease;
  }

  #checkMayWait(timeoutMs: number): void {
    const { line, options, fleet, counts } = this.#engine;
    if (timeoutMs === 0) throw this.#refuse('nothing is ready now, and timeoutMs is 0');
    if (line.length >= options.maxWaiting) {
      throw this.#refuse(`${line.length} callers are waiting, which is all that maxWaiting lets in`);
    }
    if (options.breaker.refuse && fleet.breaker === 'open' && countSupply(counts) === 0) {
      throw this.#refuse('nothing is there, and creation is given up for a while');
    }
  }

  #refuse(why: string): Error {
    this.#engine.counters.refused += 1;
    this.#engine.acquireSettled('refused', 0);
    return exhaustedError(this.stats(), why);
  }
}
