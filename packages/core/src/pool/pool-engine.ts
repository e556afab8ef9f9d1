import { Alarm } from '../deadline/alarm.ts';
import { Deadlines } from '../deadline/deadlines.ts';
import { EventHub } from './event-hub.ts';
import { GuestClocks } from './guest-clocks.ts';
import { HostFleet } from './host-fleet.ts';
import type { Lease } from './lease.ts';
import { LeaseDesk } from './lease-desk.ts';
import { logSink } from './logger.ts';
import { meterSink } from './meter.ts';
import type { CheckedPoolOptions } from './parse-options.ts';
import { PhaseTimes } from './phase-times.ts';
import { PoolClosing } from './pool-closing.ts';
import type { PoolCore } from './pool-core.ts';
import { acquireTimeoutError, closedError } from './pool-errors.ts';
import type { AcquireOutcome, TimedPhase } from './pool-event.ts';
import { PoolHost } from './pool-host.ts';
import { makeCounters, type PoolStats, type WritableCounters } from './pool-stats.ts';
import { ReadyGate } from './ready-gate.ts';
import type { AnySlotState, Slot } from './slot.ts';
import { SlotAdopter } from './slot-adopter.ts';
import { SlotChecker } from './slot-checker.ts';
import { SlotCleaner } from './slot-cleaner.ts';
import { SlotDestroyer } from './slot-destroyer.ts';
import { SlotMaker } from './slot-maker.ts';
import { SlotRetirer } from './slot-retirer.ts';
import { SlotTable } from './slot-table.ts';
import { SlotWatcher } from './slot-watcher.ts';
import { countTotal, creationsWanted, PoolDemand, type SlotCounts } from './supply.ts';
import { type Waiter, WaiterLine, type WaiterLineHost, type WaiterLoss } from './waiter-line.ts';

const lossCounters = { timeout: 'timedOut', aborted: 'aborted', closed: undefined, refused: 'refused' } as const;

/** The parts of a pool, and the one function that brings them in line with the states of the slots. */
export class PoolEngine implements PoolCore, WaiterLineHost {
  readonly options: CheckedPoolOptions;
  readonly deadlines: Deadlines;
  readonly hub: EventHub;
  readonly counters: WritableCounters = makeCounters();
  readonly table: SlotTable = new SlotTable((slot, from, to) => this.#moved(slot, from, to));
  readonly demand: PoolDemand;
  readonly line: WaiterLine;
  readonly desk: LeaseDesk;
  readonly maker: SlotMaker;
  readonly retirer: SlotRetirer;
  readonly readyGate: ReadyGate;
  readonly fleet: HostFleet;
  readonly hosts: readonly PoolHost[];
  suspended = false;
  readonly clocks: GuestClocks;
  readonly #destroyer: SlotDestroyer;
  readonly #cleaner: SlotCleaner;
  readonly #checker: SlotChecker;
  readonly #wake: Alarm;
  readonly #phaseTimes = new PhaseTimes();
  #closing: PoolClosing | undefined;
  #pumping = false;
  #pumpAgain = false;

  constructor(options: CheckedPoolOptions) {
    this.options = options;
    this.deadlines = new Deadlines(options.clock, false);
    const sinks = options.logger === undefined ? [] : [logSink(options.logger)];
    if (options.meter !== undefined) sinks.push(meterSink(options.meter, options.name, () => this.stats()));
    this.hub = new EventHub(options.name, options.clock, sinks);
    const line = new WaiterLine(new Deadlines(options.clock, true), this, options.maxPassedOver);
    this.line = line;
    this.demand = new PoolDemand(options.minReady, options.max, line);
    this.#wake = new Alarm(this.deadlines, () => this.pump());
    this.readyGate = new ReadyGate(options.clock);
    this.fleet = new HostFleet(this, options);
    this.hosts = this.fleet.hosts;
    const watcher = new SlotWatcher(this);
    const cleaner = new SlotCleaner(this, watcher);
    const destroyer = new SlotDestroyer(this);
    this.#cleaner = cleaner;
    this.clocks = new GuestClocks(this, cleaner);
    this.#destroyer = destroyer;
    this.retirer = new SlotRetirer(this);
    this.#checker = new SlotChecker(this, cleaner);
    this.desk = new LeaseDesk(this, cleaner);
    const onFailed = (): void => this.#creationFailed();
    this.maker = new SlotMaker(this, { cleaner, destroyer, watcher, onFailed });
    const adopter = new SlotAdopter(this, { cleaner, destroyer, watcher });
    const onReturned = (host: PoolHost): void => this.fleet.returned(host);
    const parts = { adopter, destroyer, maker: this.maker, onReturned };
    // Not in this step, so that whoever made the pool can listen to it first.
    queueMicrotask(() => {
      if (!this.closing) this.fleet.begin(parts);
    });
  }

  get closing(): boolean {
    return this.#closing !== undefined;
  }

  get counts(): SlotCounts {
    return this.fleet.reachable(this.table.counts);
  }

  now(): number {
    return this.options.clock.now();
  }

  pump(nowMs?: number): void {
    if (this.#pumping) {
      this.#pumpAgain = true;
      return;
    }
    this.#pumping = true;
    try {
      this.#pumpAgain = false;
      this.#step(nowMs);
      while (this.#pumpAgain) {
        this.#pumpAgain = false;
        this.#step();
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** A machine was lent, or a caller joined the line: that can change nothing but how many machines are wanted. */
  demandGrew(): void {
    if (!this.fleet.isCalm) this.pump();
    // With as many machines as there may be, none can be wanted.
    else if (this.table.total < this.demand.max && this.#wanted > 0) this.pump();
  }

  destroy(slot: Slot): void {
    this.#destroyer.begin(slot);
  }

  machineLost(slot: Slot, error: unknown): void {
    const { phase } = slot;
    if (phase === undefined || phase.kind === 'creating') return;
    if (phase.kind === 'destroying' || phase.kind === 'quarantined') return;
    this.hub.emit({ type: 'machine-lost', host: slot.host.name, slot: slot.id, machineId: phase.machine.id, error });
    if (phase.kind === 'leased') this.desk.lose(phase, error);
    else {
      if (phase.kind === 'ready') this.counters.evicted += 1;
      slot.creationLost?.(error);
      this.destroy(slot);
    }
    this.pump();
  }

  doubted(slot: Slot): void {
    this.#checker.doubt(slot);
  }

  hostLost(host: PoolHost, error: unknown, epoch: number): void {
    this.fleet.lost(host, error, epoch);
  }

  phaseEnded(
    phase: TimedPhase,
    of: Slot | PoolHost,
    startedAtMs: number,
    failure?: { readonly error: unknown },
  ): number {
    const endedAtMs = this.now();
    this.#phaseTimes.note(phase, endedAtMs - startedAtMs);
    if (!this.hub.wanted) return endedAtMs;
    const slot = of instanceof PoolHost ? undefined : of;
    this.hub.emit({
      type: 'phase-ended',
      phase,
      host: (of instanceof PoolHost ? of : of.host).name,
      slot: slot?.id ?? null,
      turn: slot?.turn ?? null,
      machineId: slot?.machine?.id ?? null,
      generation: slot?.machine?.generation ?? null,
      durationMs: endedAtMs - startedAtMs,
      ...failure,
    });
    return endedAtMs;
  }

  timeoutError(waiter: Waiter): unknown {
    return acquireTimeoutError(this.stats(), this.now() - waiter.sinceMs);
  }

  lost(waiter: Waiter, why: WaiterLoss): void {
    const counter = lossCounters[why];
    if (counter !== undefined) this.counters[counter] += 1;
    this.acquireSettled(why, this.now() - waiter.sinceMs);
  }

  acquireSettled(outcome: AcquireOutcome, waitedMs: number, lease?: Lease): void {
    if (!this.hub.wanted) return;
    const lent =
      lease === undefined ? {} : { host: lease.host, slot: lease.slot, turn: lease.turn, machineId: lease.machineId };
    this.hub.emit({ type: 'acquire-settled', outcome, waitedMs, ...lent });
  }

  stats(): PoolStats {
    const { counts } = this.table;
    const open = this.suspended ? 'suspended' : 'open';
    return {
      name: this.options.name,
      slots: { ...counts },
      total: countTotal(counts),
      waiting: this.line.length,
      minReady: this.demand.minReady,
      max: this.demand.max,
      state: this.#closing === undefined ? open : this.#closing.done ? 'closed' : 'closing',
      breaker: this.fleet.breaker,
      hosts: this.fleet.stats(),
      counters: { ...this.counters },
      lastPhaseMs: this.#phaseTimes.read(),
      lastCreationError: this.maker.lastError,
    };
  }

  /** Whether `minReady` spares are ready. */
  get isReady(): boolean {
    return this.fleet.isPrepared && this.table.counts.ready >= this.demand.minReady;
  }

  /** Begins to close, once, and gives the closing. */
  close(): PoolClosing {
    if (this.#closing !== undefined) return this.#closing;
    const closing = new PoolClosing(this, this.desk, this.#destroyer);
    this.#closing = closing;
    this.hub.emit({ type: 'closing' });
    const error = closedError(this.options.name);
    this.#wake.cancel();
    this.line.loseAll('closed', () => closedError(this.options.name));
    this.readyGate.reject(error);
    this.fleet.end(error);
    closing.begin();
    return closing;
  }

  #step(nowMs?: number): void {
    if (this.#closing !== undefined) {
      this.#closing.pump();
      return;
    }
    this.#handOver(nowMs);
    this.#cleaner.pump();
    this.retirer.pump();
    this.#refill();
    this.fleet.pump();
    if (this.readyGate.waiting > 0 && this.isReady) this.readyGate.resolve();
  }

  #handOver(readAtMs: number | undefined): void {
    if (this.suspended || this.line.length === 0) return;
    let slot = this.clocks.lendable;
    if (slot === undefined) return;
    // Whoever was told of something meanwhile may have taken his time.
    const nowMs = readAtMs === undefined || this.hub.wanted ? this.now() : readAtMs;
    for (; slot !== undefined; slot = this.clocks.lendable) {
      const waiter = this.line.takeFirst();
      if (waiter === undefined) return;
      this.counters.waited += 1;
      const lease = this.desk.grant(slot, waiter.leaseMs, nowMs);
      waiter.resolve(lease);
      this.acquireSettled('waited', nowMs - waiter.sinceMs, lease);
    }
  }

  get #wanted(): number {
    return creationsWanted(this.counts, this.demand, this.retirer.countAged());
  }

  #refill(): void {
    const nextMs = this.fleet.refill(this.#wanted);
    if (nextMs !== undefined) this.#wake.setNoLaterThan(nextMs);
  }

  #creationFailed(): void {
    this.fleet.unsettle();
    const { failure } = this.fleet;
    if (failure !== undefined) this.readyGate.reject(failure.error);
  }

  #moved(slot: Slot, from: AnySlotState, to: AnySlotState): void {
    if (this.hub.wanted) {
      this.hub.emit({
        type: 'slot-changed',
        host: slot.host.name,
        slot: slot.id,
        turn: slot.turn,
        machineId: slot.machine?.id ?? null,
        generation: slot.machine?.generation ?? null,
        from,
        to,
      });
    }
    if (to !== 'ready') return;
    this.retirer.onReady(slot);
    this.#checker.onReady(slot);
  }
}
