import { setImmediate } from 'node:timers/promises';
import { systemClock, WarmvmError } from '@warmvm/core';
import type { Machine } from '@warmvm/core/driver';
import { fakeImage } from '@warmvm/driver-fake';
import type { Contender } from './contender.ts';
import { type Limited, TimeLimits } from './time-limits.ts';
import { trivialDriver } from './trivial-driver.ts';

const LEASE_MS = 600_000;
const CALL_MS = 30_000;

/**
 * What a cycle cannot do without, and no pool: promises, a line, and time limits of the wait, the lease, the reset and the probe. It checks
 * nothing, tells nobody, makes nothing anew and loses what fails: a bound to read the figures by, not one of those that are compared.
 */
export const leastProgram: Contender = {
  name: 'least program',
  async open({ resources, deadlineMs }) {
    const driver = trivialDriver();
    const image = fakeImage();
    const owner = { pool: 'least', instance: 'least', process: { bootId: 'none', pid: process.pid, startTime: '0' } };
    const golden = await driver.prepare(image, { owner });
    const program = new LeastProgram(deadlineMs);
    for (let count = 0; count < resources; count += 1) program.add(await driver.fork(golden, { owner }));
    return {
      acquire: () => program.acquire(),
      release: (lease) => program.release(lease as LeastLease),
      holdRecycling: () => {
        const letGo = driver.holdResets();
        return async () => {
          letGo();
          while (program.ready < resources) await setImmediate();
        };
      },
      close: async () => {
        program.stop();
        await driver[Symbol.asyncDispose]();
      },
    };
  },
};

const released = Promise.resolve();

class LeastLease {
  readonly slot: LeastSlot;
  readonly turn: number;

  constructor(slot: LeastSlot) {
    this.slot = slot;
    this.turn = slot.turn;
  }
}

class LeastSlot implements Limited {
  dueMs = 0;
  sooner: Limited | undefined = undefined;
  later: Limited | undefined = undefined;
  turn = 0;
  isReset = false;
  readonly machine: Machine;
  readonly #program: LeastProgram;

  constructor(program: LeastProgram, machine: Machine) {
    this.#program = program;
    this.machine = machine;
  }

  readonly onDone = (): void => this.#program.done(this);
  readonly onFailed = (): void => this.onDue();

  onDue(): void {
    this.turn += 1;
  }
}

class LeastWaiter implements Limited {
  dueMs = 0;
  sooner: Limited | undefined = undefined;
  later: Limited | undefined = undefined;
  readonly resolve: (lease: LeastLease) => void;
  readonly reject: (error: unknown) => void;

  constructor(resolve: (lease: LeastLease) => void, reject: (error: unknown) => void) {
    this.resolve = resolve;
    this.reject = reject;
  }

  onDue(): void {
    this.reject(new WarmvmError('WARMVM_ACQUIRE_TIMEOUT', 'waited for too long'));
  }
}

class LeastProgram {
  readonly #ready: LeastSlot[] = [];
  readonly #waits: TimeLimits;
  readonly #leases = new TimeLimits(LEASE_MS);
  readonly #calls = new TimeLimits(CALL_MS);

  constructor(deadlineMs: number) {
    this.#waits = new TimeLimits(deadlineMs);
  }

  get ready(): number {
    return this.#ready.length;
  }

  add(machine: Machine): void {
    this.#ready.push(new LeastSlot(this, machine));
  }

  acquire(): Promise<LeastLease> {
    const slot = this.#ready.pop();
    if (slot !== undefined) return Promise.resolve(this.#lend(slot, systemClock.now()));
    return new Promise((resolve, reject) => {
      this.#waits.begin(new LeastWaiter(resolve, reject), systemClock.now());
    });
  }

  release({ slot, turn }: LeastLease): Promise<void> {
    if (turn !== slot.turn) return released;
    this.#leases.end(slot);
    slot.turn += 1;
    slot.isReset = false;
    this.#calls.begin(slot, systemClock.now());
    slot.machine.reset().then(slot.onDone, slot.onFailed);
    return released;
  }

  done(slot: LeastSlot): void {
    this.#calls.end(slot);
    const nowMs = systemClock.now();
    if (!slot.isReset) {
      slot.isReset = true;
      this.#calls.begin(slot, nowMs);
      slot.machine.guest.ping().then(slot.onDone, slot.onFailed);
      return;
    }
    const waiter = this.#waits.first as LeastWaiter | undefined;
    if (waiter === undefined) {
      this.#ready.push(slot);
      return;
    }
    this.#waits.end(waiter);
    waiter.resolve(this.#lend(slot, nowMs));
  }

  stop(): void {
    for (const limits of [this.#waits, this.#leases, this.#calls]) limits.stop();
  }

  #lend(slot: LeastSlot, nowMs: number): LeastLease {
    slot.turn += 1;
    this.#leases.begin(slot, nowMs);
    return new LeastLease(slot);
  }
}
