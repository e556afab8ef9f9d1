import { percentile } from '@warmvm/bench';
import { type Clock, createPool, type Lease, type Pool, WarmvmError } from '@warmvm/core';
import { prepareText } from '../prepare-text.ts';
import { findMarkers, writeMarkers } from './marker.ts';
import { observeDriver } from './observed-driver.ts';
import { POOL_NAME, STATED_POOL_NAME } from './pool-names.ts';
import { PoolWatcher } from './pool-watcher.ts';
import { duration } from './report.ts';
import { Samples } from './samples.ts';
import type { Scene } from './scene.ts';

/** Size of the pool that the main job opens. */
export const POOL_SIZE = { minReady: 3, max: 5 } as const;
/** Machines that the stated figures are for. */
const STATED_SIZE = 5;
/** Longest wait for one machine to come back; far above anything that is healthy. */
const PATIENCE_MS = 60_000;

/** What the main job is given. */
export interface JobOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Cycles, and kills, to measure. */
  readonly samples: number;
}

/** Tells a person where the job is. */
export type Say = (text: string) => void;

/**
 * The main job, step by step: fill, lend, dirty, release, prove clean, kill from outside, close. Each step gives a sentence that says
 * how it ended.
 */
export class Job {
  readonly samples: Samples = new Samples();
  markerAbsent = true;
  killedEvicted = true;
  readonly #scene: Scene;
  readonly #options: JobOptions;
  #pool: Pool | undefined;
  #watcher: PoolWatcher | undefined;
  #dirtied: { readonly machineId: string; readonly generation: number } | undefined;

  constructor(scene: Scene, options: JobOptions) {
    this.#scene = scene;
    this.#options = options;
  }

  /** Makes the golden snapshot and fills the pool. */
  async fill(say: Say): Promise<string> {
    const { clock, signal } = this.#options;
    const startedAt = clock.now();
    let preparedAt = startedAt;
    const driver = observeDriver(this.#scene.driver, {
      clock,
      samples: this.samples,
      onPrepare: (progress) => say(prepareText(progress)),
      onPrepared: (atMs) => {
        preparedAt = atMs;
        say(`golden snapshot ready after ${duration(atMs - startedAt)}, forking ${POOL_SIZE.minReady} machines`);
      },
    });
    const pool = createPool({ driver, image: this.#scene.image, name: POOL_NAME, ...POOL_SIZE, clock });
    this.#pool = pool;
    this.#watcher = new PoolWatcher(pool, clock);
    await pool.ready({ signal });
    const readyAt = clock.now();
    this.samples.add('fill', readyAt - preparedAt);
    this.samples.add('init-cold', readyAt - startedAt);
    return `${POOL_SIZE.minReady} machines ready ${duration(readyAt - preparedAt)} after the golden snapshot, ${duration(readyAt - startedAt)} from nothing`;
  }

  /** Lends a machine, runs a command, and leaves markers in its memory and on its disk. */
  async dirty(say: Say): Promise<string> {
    const { signal } = this.#options;
    const lease = await this.#acquire();
    say(`${lease.machineId} lent (turn ${lease.turn}, generation ${lease.generation})`);
    const { stdout } = await lease.guest.exec(['hostname'], { signal });
    await writeMarkers(lease.guest, 'written by the tenant before', signal);
    this.#dirtied = { machineId: lease.machineId, generation: lease.generation };
    const machineReady = this.#watch().becomesReady(lease.machineId, this.#patience());
    await lease.release();
    say('released, waiting for its reset');
    await machineReady;
    const hostname = new TextDecoder().decode(stdout).trim();
    return `the guest '${hostname}' answered, was dirtied in memory and on disk, released and reset`;
  }

  /** Lends every ready machine until the dirtied one is found, and looks for its markers. */
  async prove(): Promise<string> {
    const { signal } = this.#options;
    const dirtied = this.#dirtied;
    const leases: Lease[] = [];
    try {
      for (let count = 0; count < POOL_SIZE.minReady; count += 1) leases.push(await this.#acquire(false));
      const again = leases.find((lease) => lease.machineId === dirtied?.machineId);
      if (again === undefined) throw new WarmvmError('WARMVM_NOT_READY', `${dirtied?.machineId} did not come back`);
      const found = await findMarkers(again.guest, signal);
      if (found.length > 0) this.markerAbsent = false;
      return found.length > 0
        ? `${again.machineId} still shows ${found.join(' and ')}: the reset did not work`
        : `${again.machineId} is at generation ${again.generation} (was ${dirtied?.generation}); no marker in memory, none on disk`;
    } finally {
      await this.#releaseAll(leases);
    }
  }

  /** Lends, uses, dirties and releases over and over, and takes the time of each part. */
  async cycle(say: Say): Promise<string> {
    const { samples } = this.#options;
    for (let count = 1; count <= samples; count += 1) {
      await this.#oneCycle(count);
      say(`${count} of ${samples}`);
    }
    const reset = duration(percentile(this.samples.of('reset'), 0.5));
    const acquire = duration(percentile(this.samples.of('acquire'), 0.5));
    return `${samples} cycles; acquire p50 ${acquire}, reset p50 ${reset}`;
  }

  /** Kills ready machines from outside and takes the time until the pool knows. */
  async detect(say: Say): Promise<string> {
    const { samples, signal } = this.#options;
    const pool = this.#openPool();
    for (let count = 1; count <= samples; count += 1) {
      const victim = this.#watch().ready[0];
      if (victim === undefined) throw new WarmvmError('WARMVM_NOT_READY', 'no machine is ready to be killed');
      const noticed = this.#watch().next(
        (event) => event.type === 'slot-changed' && event.machineId === victim && event.from === 'ready',
        this.#patience(),
      );
      const killedAt = await this.#scene.killFromOutside(victim);
      const { event, seenAtMs } = await noticed;
      if (event.type === 'slot-changed' && event.to === 'leased') this.killedEvicted = false;
      this.samples.add('detect', seenAtMs - killedAt);
      say(`${count} of ${samples}: known after ${duration(seenAtMs - killedAt)}; replacing the machine`);
      await pool.ready({ signal });
    }
    return `${samples} machines killed; known p50 ${duration(percentile(this.samples.of('detect'), 0.5))} later, none lent`;
  }

  /** Closes the pool, fills one of five from the golden snapshot that is there, and lends all its machines at once. */
  async fillFive(say: Say): Promise<string> {
    const { clock, signal } = this.#options;
    await this.#openPool().close({ graceMs: 0 });
    this.#pool = undefined;
    const driver = observeDriver(this.#scene.driver, {
      clock,
      samples: this.samples,
      onPrepare: () => {},
      onPrepared: () => {},
    });
    const size = { minReady: STATED_SIZE, max: STATED_SIZE };
    const startedAt = clock.now();
    const pool = createPool({ driver, image: this.#scene.image, name: STATED_POOL_NAME, ...size, clock });
    try {
      await pool.ready({ signal });
      const readyAt = clock.now();
      this.samples.add('init', readyAt - startedAt);
      say('all ready; lending them at once');
      const lentAt = clock.now();
      await Promise.all(Array.from({ length: STATED_SIZE }, () => pool.acquire({ signal })));
      this.samples.add('acquire-5', clock.now() - lentAt);
      return `${STATED_SIZE} machines ready in ${duration(readyAt - startedAt)}`;
    } finally {
      await pool.close({ graceMs: 0 });
    }
  }

  /** Destroys every machine and whatever the driver made. */
  async close(): Promise<string> {
    const pool = this.#pool;
    this.#pool = undefined;
    const report = await pool?.close({ graceMs: 0 });
    await this.#scene.driver[Symbol.asyncDispose]();
    if (report === undefined) return 'nothing was open';
    return report.undestroyed.length === 0
      ? `closed in ${duration(report.durationMs)}`
      : `closed, but ${report.undestroyed.length} machines could not be destroyed`;
  }

  async #oneCycle(count: number): Promise<void> {
    const { clock, signal } = this.#options;
    const startedAt = clock.now();
    const lease = await this.#acquire();
    const lentAt = clock.now();
    const { exitCode } = await lease.guest.exec(['true'], { signal });
    this.samples.add('exec', clock.now() - lentAt);
    if (exitCode !== 0) throw new WarmvmError('WARMVM_GUEST_EXEC_FAILED', `true ended with ${exitCode}`);
    if ((await findMarkers(lease.guest, signal)).length > 0) this.markerAbsent = false;
    await writeMarkers(lease.guest, `tenant ${count}`, signal);
    const machineReady = this.#watch().becomesReady(lease.machineId, this.#patience());
    const releasedAt = clock.now();
    await lease.release();
    const { seenAtMs } = await machineReady;
    this.samples.add('reset', seenAtMs - releasedAt);
    this.samples.add('cycle', seenAtMs - startedAt);
  }

  async #acquire(timed = true): Promise<Lease> {
    const { clock, signal } = this.#options;
    const startedAt = clock.now();
    const lease = await this.#openPool().acquire({ signal });
    if (timed) this.samples.add('acquire', clock.now() - startedAt);
    return lease;
  }

  async #releaseAll(leases: readonly Lease[]): Promise<void> {
    const patience = this.#patience();
    const ready = leases.map((lease) => this.#watch().becomesReady(lease.machineId, patience));
    for (const lease of leases) await lease.release();
    await Promise.all(ready);
  }

  #patience(): AbortSignal {
    const { clock, signal } = this.#options;
    const late = new AbortController();
    const giveUp = (): void =>
      late.abort(new WarmvmError('WARMVM_NOT_READY', `nothing happened within ${PATIENCE_MS / 1000} s`));
    clock.setTimer(giveUp, PATIENCE_MS, { hold: false });
    return AbortSignal.any([signal, late.signal]);
  }

  #openPool(): Pool {
    if (this.#pool === undefined) throw new WarmvmError('WARMVM_POOL_CLOSED', 'the pool is not open');
    return this.#pool;
  }

  #watch(): PoolWatcher {
    if (this.#watcher === undefined) throw new WarmvmError('WARMVM_POOL_CLOSED', 'the pool is not open');
    return this.#watcher;
  }
}
