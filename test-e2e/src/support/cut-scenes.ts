import {
  Backoff,
  createPool,
  type Driver,
  type GoldenImage,
  type Lease,
  type Pool,
  type PrepareProgress,
  sleep,
  systemClock,
} from '@warmvm/core';
import { createLibvirtSshDriver } from '@warmvm/driver-libvirt-ssh';
import { buildTinyImage } from '@warmvm/guest-image';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cut, type FarHost, startFarHost } from './far-host.ts';
import { killQemu, storageFor } from './libvirt-host.ts';
import { leaveTraces, shell, tracesIn } from './tenant.ts';

/** What is cut in which moment of a pool's life. */
export interface CutPlan {
  /** One after the other, while one pool makes its golden snapshot: each cut costs that attempt and no more. */
  readonly prepare: readonly (readonly [step: PrepareProgress['step'], what: Cut, afterMs?: number])[];
  readonly idle: readonly Cut[];
  readonly lease: readonly Cut[];
  /** Milliseconds after the release that begins the resets. */
  readonly reset: readonly (readonly [what: Cut, afterMs: number])[];
  /** Milliseconds after the acquires that begin the forks. */
  readonly fork: readonly (readonly [what: Cut, afterMs: number])[];
}

const POOL = 'e2e-cuts';
const SETTLE_TIMEOUT_MS = 60_000;

/** One pool on one far host, whose link is cut again and again. */
export function cutScenes(title: string, plan: CutPlan): void {
  describe(title, () => {
    let far: FarHost;
    let driver: Driver;
    let pool: Pool;
    let before: readonly string[];

    beforeAll(async () => {
      far = await startFarHost();
      before = await far.libvirt.inventory();
      driver = createLibvirtSshDriver({ ...far.options, ...(await storageFor('cuts')), way: 'streamlocal' });
    });

    afterAll(async () => {
      await pool?.close({ graceMs: 0 });
      await driver?.[Symbol.asyncDispose]();
      await far?.[Symbol.asyncDispose]();
    });

    const domains = async (): Promise<readonly string[]> =>
      (await far.libvirt.inventory()).filter((line) => line.startsWith('domain') && !before.includes(line));

    /** The pool has what it wants, nothing is under way, and what is on the host is what the pool knows of: it and the golden snapshot. */
    async function recovered(): Promise<void> {
      const settled = (): boolean => {
        const { slots, total } = pool.stats();
        return slots.ready >= 2 && slots.ready === total;
      };
      await expect.poll(settled, { timeout: SETTLE_TIMEOUT_MS, interval: 50 }).toBe(true);
      expect(await domains()).toHaveLength(pool.stats().total + 1);
    }

    /** Lends two at once: they are two, they are clean, and they answer. */
    async function lendsGood(): Promise<void> {
      const leases = await Promise.all([pool.acquire(), pool.acquire()]);
      expect(new Set(leases.map(({ machineId }) => machineId)).size).toBe(2);
      for (const lease of leases) {
        expect(await tracesIn(lease.guest)).toEqual([]);
        await lease.release();
      }
    }

    /** What was under way in the moment of a cut may be lost, and is asked again. */
    const asked = (lease: Lease, script: string): Promise<string> =>
      shell(lease.guest, script).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', retryable: true });
        return shell(lease.guest, script);
      });

    test(`while a golden snapshot is made: ${plan.prepare.map((cut) => cut.join(' by ')).join(', ')}`, {
      timeout: 240_000,
    }, async () => {
      const left = [...plan.prepare];
      const interruptions: Promise<void>[] = [];
      const image = await buildTinyImage();
      const cutting = preparingWith(driver, (step) => {
        const [next] = left;
        if (next?.[0] !== step) return;
        left.shift();
        const [, what, afterMs = 0] = next;
        interruptions.push(sleep(systemClock, afterMs).then(() => far.interrupt(what)));
      });
      pool = createPool({
        driver: cutting,
        image,
        name: POOL,
        minReady: 2,
        max: 4,
        creationBackoff: Backoff.exponential({ baseMs: 100, capMs: 500 }),
        breaker: { openMs: 500 },
      });
      await recoveredFrom(left);
      await Promise.all(interruptions);
      await recovered();
      await lendsGood();
    });

    async function recoveredFrom(left: readonly unknown[]): Promise<void> {
      await expect.poll(() => [left.length, pool.stats().slots.ready], { timeout: 200_000 }).toEqual([0, 2]);
    }

    test.each(plan.idle)('while machines are idle (%s): they are lent as if nothing had been', async (what) => {
      await recovered();
      const ids = new Set((await driver.list({ pool: POOL })).map(({ id }) => id));
      await far.interrupt(what);
      await driver.ping();
      const lease = await pool.acquire();
      expect(ids).toContain(lease.machineId);
      expect(await asked(lease, 'echo alive')).toBe('alive');
      await lease.release();
      await recovered();
    });

    test.each(plan.lease)(
      'during a lease (%s): the lease, its guest and what the tenant has there stay',
      async (what) => {
        await recovered();
        const lease = await pool.acquire();
        await shell(lease.guest, 'echo mine > /run/mine');
        // Whether a question is under way in the moment of the cut is chance; the program in the guest runs on.
        const running = shell(lease.guest, 'sleep 1; echo done').catch((error: unknown) => error);
        await far.interrupt(what);
        expect([
          'done',
          expect.objectContaining({ code: 'WARMVM_GUEST_UNRESPONSIVE', retryable: true }),
        ]).toContainEqual(await running);
        expect(await asked(lease, 'cat /run/mine')).toBe('mine');
        expect(lease.signal.aborted).toBe(false);
        await lease.release();
        await recovered();
      },
    );

    test('in which a lent machine dies is told to its lease once', async () => {
      await recovered();
      const [dead, alive] = await Promise.all([pool.acquire(), pool.acquire()]);
      let told = 0;
      dead.signal.addEventListener('abort', () => {
        told += 1;
      });
      await Promise.all([far.interrupt('connections'), killQemu(dead.machineId)]);
      await expect.poll(() => dead.signal.aborted, { timeout: 20_000 }).toBe(true);
      expect(dead.signal.reason).toMatchObject({ code: expect.stringMatching(/^WARMVM_MACHINE_(CRASHED|GONE)$/) });
      expect(await asked(alive, 'echo alive')).toBe('alive');
      await alive.release();
      await recovered();
      expect(told).toBe(1);
    });

    test.each(plan.reset)('during resets (%s, %i ms after the release): no dirt is lent', async (what, afterMs) => {
      await recovered();
      const leases = await Promise.all([pool.acquire(), pool.acquire()]);
      for (const lease of leases) await leaveTraces(lease.guest);
      for (const lease of leases) await lease.release();
      await sleep(systemClock, afterMs);
      await far.interrupt(what);
      await recovered();
      await lendsGood();
      await recovered();
    });

    test.each(plan.fork)(
      'during forks (%s, %i ms after the acquires): nothing is left of them',
      async (what, afterMs) => {
        await recovered();
        const leases = await Promise.all([pool.acquire(), pool.acquire()]);
        const more = Promise.all([pool.acquire({ timeoutMs: 60_000 }), pool.acquire({ timeoutMs: 60_000 })]);
        await sleep(systemClock, afterMs);
        await far.interrupt(what);
        const all: readonly Lease[] = [...leases, ...(await more)];
        expect(new Set(all.map(({ machineId }) => machineId)).size).toBe(4);
        for (const lease of all) {
          expect(await asked(lease, 'echo alive')).toBe('alive');
          await lease.release();
        }
        await recovered();
      },
    );

    test('nothing of all this is left, on the host or on the way to it', async () => {
      expect((await pool.close({ graceMs: 0 })).undestroyed).toEqual([]);
      await driver[Symbol.asyncDispose]();
      expect(await far.libvirt.inventory()).toEqual(before);
      await expect.poll(() => far.ssh.sessionPids(), { timeout: 20_000 }).toEqual([]);
    });
  });
}

/** The driver, and who is told of the steps of its golden snapshots. */
function preparingWith(inner: Driver, onStep: (step: PrepareProgress['step']) => void): Driver {
  return {
    specificationVersion: 1,
    name: inner.name,
    capabilities: inner.capabilities,
    prepare: (image: GoldenImage, options) => {
      let last: string | undefined;
      return inner.prepare(image, {
        ...options,
        onProgress: (progress) => {
          options.onProgress?.(progress);
          if (progress.step !== last) onStep(progress.step);
          last = progress.step;
        },
      });
    },
    fork: (golden, options) => inner.fork(golden, options),
    list: (owner, options) => inner.list(owner, options),
    adopt: (record, options) => inner.adopt(record, options),
    remove: (record, options) => inner.remove(record, options),
    ping: (options) => inner.ping(options),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}
