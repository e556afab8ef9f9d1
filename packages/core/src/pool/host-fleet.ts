import type { BreakerState } from './creation-gate.ts';
import { HostKeeper, type HostKeeperParts } from './host-keeper.ts';
import type { CheckedPoolOptions } from './parse-options.ts';
import { choosePlace } from './placement.ts';
import type { PoolCore } from './pool-core.ts';
import { closedError, hostsError, isFinal } from './pool-errors.ts';
import { PoolHost } from './pool-host.ts';
import type { HostStats } from './pool-stats.ts';
import { ReadyGate } from './ready-gate.ts';
import { countTotal, makeCounts, type SlotCounts, subtractCounts } from './supply.ts';

/** The hosts of a pool: what is made goes where there is room, and an outage of one is not one of the others. */
export class HostFleet {
  readonly hosts: readonly PoolHost[];
  readonly #core: PoolCore;
  #keepers: readonly HostKeeper[] = [];
  #parts: HostKeeperParts | undefined;
  #down = 0;
  #isCalm = false;
  /** Hosts that are told to drain, with those who wait for it; and whether it was told that nothing is left there. */
  readonly #draining = new Map<PoolHost, { readonly callers: ReadyGate; isTold: boolean }>();

  constructor(core: PoolCore, options: CheckedPoolOptions) {
    this.#core = core;
    this.hosts = options.hosts.map((host) => new PoolHost(host, options, core));
  }

  /** Sweeps every host, each by itself, and opens it for creation. */
  begin(parts: HostKeeperParts): void {
    this.#parts = parts;
    this.#keepers = this.hosts.map((host) => new HostKeeper(this.#core, host, parts));
    for (const keeper of this.#keepers) keeper.begin();
  }

  /** @throws RangeError when there is none of that name */
  get(name: string): PoolHost {
    const host = this.hosts.find((each) => each.name === name);
    if (host !== undefined) return host;
    const names = this.hosts.map((each) => each.name).join(', ');
    throw new RangeError(`host is ${JSON.stringify(name)}; expected one of ${names}`);
  }

  /** The counts of all slots, less those on hosts that are down: what is there takes room nowhere else. */
  reachable(counts: SlotCounts): SlotCounts {
    if (this.#down === 0) return counts;
    let left = counts;
    for (const host of this.hosts) if (host.health.state === 'down') left = subtractCounts(left, host.counts);
    return left;
  }

  /** Whether every host is open and has its golden snapshot: then there is nothing to look at but what is wanted. */
  get isCalm(): boolean {
    return this.#isCalm;
  }

  /** Whether a golden snapshot is there on any host, so that machines can be made. */
  get isPrepared(): boolean {
    return this.hosts.some((host) => host.golden !== undefined);
  }

  /** The best that any host's breaker says. */
  get breaker(): BreakerState {
    const states = this.hosts.map((host) => host.gate.state);
    return states.includes('closed') ? 'closed' : states.includes('half-open') ? 'half-open' : 'open';
  }

  /**
   * Prepares, probes and fills the hosts, each as far as it lets itself be.
   * @param wanted machines that are to be made
   * @returns when time alone will let more be done; undefined when no time is waited for
   */
  refill(wanted: number): number | undefined {
    const parts = this.#parts;
    if (parts === undefined || (wanted === 0 && this.#isCalm)) return undefined;
    this.#isCalm = true;
    for (const keeper of this.#keepers) {
      const { host } = keeper;
      if (host.isOpen && host.golden !== undefined) {
        keeper.goldenPrepared();
        continue;
      }
      this.#isCalm = false;
      if (host.health.state === 'down') keeper.probe();
      else if (host.isOpen && !host.health.isDraining) parts.maker.prepare(host);
    }
    if (wanted === 0 && this.#isCalm) return undefined;
    const nowMs = this.#core.now();
    let left = wanted;
    for (; left > 0; left -= 1) {
      const open = this.hosts.filter((host) => host.mayCreate(nowMs));
      const host = choosePlace(open, this.#core.demand.waiting > 0, this.#core.options.random);
      if (host === undefined || !parts.maker.create(host)) break;
    }
    return this.#nextMs(nowMs, left > 0);
  }

  /** A creation failed, perhaps since a golden snapshot is gone: the hosts are looked at again. */
  unsettle(): void {
    this.#isCalm = false;
  }

  /** A host is gone. News of an earlier loss than the latest changes nothing. */
  lost(host: PoolHost, error: unknown, epoch: number): void {
    if (!host.health.lose(epoch, this.#core.now())) return;
    this.#down += 1;
    this.#isCalm = false;
    this.#core.hub.emit({ type: 'host-down', host: host.name, error });
    this.#keepers.find((keeper) => keeper.host === host)?.lost();
    if (!this.#core.closing) {
      this.#parts?.maker.hit(host, error);
      host.interrupt(error);
    }
    const slots = [...this.#core.table.slots].filter((slot) => slot.host === host);
    // Those that may be lent go first: whoever is told of a lost lease may ask for another in the same step.
    for (const slot of slots) if (slot.phase?.kind === 'ready') this.#core.machineLost(slot, error);
    for (const slot of slots) {
      const kind = slot.phase?.kind;
      if (kind === 'leased') this.#core.machineLost(slot, error);
      else if (kind === 'resetting' || kind === 'settling') this.#core.destroy(slot);
    }
    this.#core.pump();
  }

  /** A host that was down answers. */
  returned(host: PoolHost): void {
    const downMs = host.health.comeBack(this.#core.now());
    this.#down -= 1;
    this.#core.hub.emit({ type: 'host-up', host: host.name, downMs });
  }

  /** Takes a host out of use. @returns what resolves when nothing of the pool is left there, with false when it was undrained before */
  async drain(host: PoolHost, signal: AbortSignal | undefined): Promise<boolean> {
    let drain = this.#draining.get(host);
    if (drain === undefined) {
      drain = { callers: new ReadyGate(this.#core.options.clock), isTold: false };
      this.#draining.set(host, drain);
      host.health.drain();
      this.#core.hub.emit({ type: 'host-draining', host: host.name });
      for (const slot of [...this.#core.table.slots]) {
        const kind = slot.phase?.kind;
        if (slot.host !== host || (kind !== 'ready' && kind !== 'resetting')) continue;
        this.#core.counters.retired += 1;
        this.#core.destroy(slot);
      }
      this.#core.pump();
    }
    if (host.total > 0) await drain.callers.wait(signal);
    return this.#draining.get(host) === drain;
  }

  undrain(host: PoolHost): void {
    const drain = this.#draining.get(host);
    if (drain === undefined) return;
    this.#draining.delete(host);
    host.health.undrain();
    this.#core.hub.emit({ type: 'host-undrained', host: host.name });
    drain.callers.resolve();
    this.#core.pump();
  }

  /** Tells of hosts on which nothing is left that were told to drain. */
  pump(): void {
    if (this.#draining.size === 0) return;
    for (const [host, drain] of this.#draining) {
      if (host.total > 0) drain.isTold = false;
      else if (!drain.isTold) {
        drain.isTold = true;
        this.#core.hub.emit({ type: 'host-drained', host: host.name });
        drain.callers.resolve();
      }
    }
  }

  /** Why the spares cannot be had: set when the hosts on which creation is given up leave too little room for them. */
  get failure(): { readonly error: unknown } | undefined {
    const { minReady, max } = this.#core.demand;
    const failing = this.hosts.filter(isFailing);
    if (failing.length === 0) return undefined;
    const others = this.hosts.filter((host) => !host.health.isDraining && !isFailing(host));
    const room = others.reduce((sum, host) => sum + Math.min(host.max, max), 0);
    return room >= Math.max(1, minReady) ? undefined : { error: hostsError(failing) };
  }

  /** The pool closes: every call under way is given up. */
  end(error: unknown): void {
    for (const host of this.hosts) host.scope.end(error);
    for (const { callers } of this.#draining.values()) callers.reject(closedError(this.#core.options.name));
  }

  stats(): readonly HostStats[] {
    return this.hosts.map((host) => ({
      name: host.name,
      driver: host.driver.name,
      reportedAs: host.golden?.host ?? null,
      state: host.health.state,
      isDraining: host.health.isDraining,
      isPrepared: host.golden !== undefined,
      slots: Object.assign(makeCounts(), host.counts),
      total: countTotal(host.counts),
      max: Math.min(host.max, this.#core.demand.max),
      breaker: host.gate.state,
      lastCreationError: host.lastError,
    }));
  }

  #nextMs(nowMs: number, isLacking: boolean): number | undefined {
    let nextMs: number | undefined;
    for (const host of this.hosts) {
      const isUseful = host.health.state === 'down' || (host.isOpen && !host.health.isDraining);
      if (!isUseful || (host.golden !== undefined && !isLacking)) continue;
      const hostMs = host.gate.nextAttemptMs(nowMs) ?? host.rate.nextMs(nowMs);
      if (hostMs !== undefined && hostMs < (nextMs ?? Number.POSITIVE_INFINITY)) nextMs = hostMs;
    }
    return nextMs;
  }
}

/** Whether attempts there are given up for a while, or cannot help at all. */
function isFailing(host: PoolHost): boolean {
  if (host.gate.state === 'open') return true;
  return host.golden === undefined && host.lastError !== undefined && isFinal(host.lastError);
}
