import type { Server } from 'node:net';
import type { Clock, CloseReport, PoolStats } from '@warmvm/core';
import type { OpenPool } from '../../place/own-pool.ts';
import { errorToWire } from '../protocol/error-wire.ts';
import { MOST_CONNECTIONS } from '../protocol/limits.ts';
import type { PoolStatus, Welcome } from '../protocol/messages.ts';
import type { PoolHome } from './pool-home.ts';
import { Session } from './session.ts';
import { SlotBoard } from './slot-board.ts';

/** Slots that a status tells of; counts tell of all. */
const MOST_SLOTS = 1_000;

/** What {@link PoolServer} needs. */
export interface PoolServerOptions {
  readonly server: Server;
  readonly welcome: Welcome;
  readonly leaseMs: number;
  readonly clock: Clock;
}

/** Serves a pool to other processes. Answers from the first moment; leases wait until the pool is there. */
export class PoolServer implements PoolHome {
  readonly welcome: Welcome;
  readonly leaseMs: number;
  readonly opened: Promise<OpenPool>;
  /** Resolves when the pool was drained, with what became of it. */
  readonly drained: Promise<CloseReport>;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #board: SlotBoard;
  readonly #startedAtMs: number;
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #settled = Promise.withResolvers<OpenPool>();
  readonly #closed = Promise.withResolvers<CloseReport>();
  #present: OpenPool | undefined;

  constructor({ server, welcome, leaseMs, clock }: PoolServerOptions) {
    this.welcome = welcome;
    this.leaseMs = leaseMs;
    this.#clock = clock;
    this.#server = server;
    this.#board = new SlotBoard(clock);
    this.#startedAtMs = clock.now();
    this.opened = this.#settled.promise;
    this.drained = this.#closed.promise;
    // Nobody may have asked for a pool that never came.
    this.opened.catch(() => {});
    this.drained.catch(() => {});
    server.maxConnections = MOST_CONNECTIONS;
    server.on('connection', (socket) => {
      const session = new Session(socket, this, clock);
      this.#sessions.set(
        session,
        session.serve().finally(() => this.#sessions.delete(session)),
      );
    });
  }

  /** The pool is there. */
  open(opened: OpenPool): void {
    this.#present = opened;
    void this.#watch(opened);
    this.#settled.resolve(opened);
  }

  /** The pool will never be there. */
  fail(error: unknown): void {
    this.#settled.reject(error);
  }

  status(): PoolStatus {
    const { pool, version, pid, drivers, image } = this.welcome;
    return {
      schema: 1,
      pool,
      version,
      pid,
      drivers,
      image,
      uptimeMs: this.#clock.now() - this.#startedAtMs,
      connections: this.#sessions.size,
      stats: this.#present === undefined ? null : plainStats(this.#present.pool.stats()),
      slots: this.#board.slots(this.#clients()).slice(0, MOST_SLOTS),
      latencies: this.#board.latencies(),
    };
  }

  async drain(graceMs: number): Promise<CloseReport> {
    const { pool } = await this.opened;
    const report = await pool.close({ graceMs });
    this.#closed.resolve(report);
    return report;
  }

  /** Takes no more connections, and ends those that there are, once each has been told what it asked for. */
  async close(): Promise<void> {
    this.fail(new Error('the pool ends'));
    this.#server.removeAllListeners('connection').on('connection', (socket) => socket.destroy());
    for (const session of this.#sessions.keys()) session.end();
    await Promise.all(this.#sessions.values());
  }

  /** By slot: the process that has its machine. */
  #clients(): ReadonlyMap<number, number> {
    const held = [...this.#sessions.keys()].map(({ heldSlot, pid }) => [heldSlot, pid] as const);
    return new Map(held.filter((pair): pair is [number, number] => pair.every((number) => number !== undefined)));
  }

  async #watch({ pool }: OpenPool): Promise<void> {
    for await (const event of pool.events()) this.#board.take(event);
  }
}

/** Numbers as they are; errors as data. */
function plainStats(stats: PoolStats): PoolStats {
  const plain = (error: unknown): unknown => (error === undefined ? null : errorToWire(error));
  return {
    ...stats,
    lastCreationError: plain(stats.lastCreationError),
    hosts: stats.hosts.map((host) => ({ ...host, lastCreationError: plain(host.lastCreationError) })),
  };
}
