import { setImmediate } from 'node:timers/promises';
import { systemClock } from '@warmvm/core';
import { alternate } from '../alternate.ts';
import { type GarbageCollections, GarbageWatch } from '../measure/garbage.ts';
import type { Contender, OpenPool, Work } from './contender.ts';
import { alone, crowd } from './load.ts';

/** One way of loading every contender. */
export interface Course {
  /** `lend` is one caller with the recycling held back, and not measured. */
  readonly load: 'lend' | 'alone' | 'crowd';
  readonly work: Work;
  readonly resources: number;
  /** Callers at a time in a crowd. */
  readonly callers: number;
  /** Cycles of acquire and release in each round. */
  readonly cycles: number;
  readonly rounds: number;
  readonly deadlineMs: number;
}

/** What one contender took; times are milliseconds for each cycle, by round. */
export interface Finish {
  readonly name: string;
  readonly cpuMs: readonly number[];
  readonly clockMs: readonly number[];
  readonly garbageCollections: GarbageCollections;
}

interface Lap {
  readonly cpuMs: number;
  readonly clockMs: number;
}

interface Runner {
  readonly name: string;
  readonly pool: OpenPool;
  readonly laps: Lap[];
  readonly collections: GarbageCollections[];
}

const WARM_UP_ROUNDS = 4;

/** Loads every contender in turn, round after round, in this process. */
export async function race(contenders: readonly Contender[], course: Course): Promise<readonly Finish[]> {
  const runners: Runner[] = [];
  for (const { name, open } of contenders) {
    const pool = await open({ ...course, waiting: course.callers });
    runners.push({ name, pool, laps: [], collections: [] });
  }
  for (let round = -WARM_UP_ROUNDS; round < course.rounds; round += 1) {
    const run = async (runner: Runner): Promise<void> => {
      const garbage = new GarbageWatch();
      const lap = await runLap(runner.pool, course);
      await garbage.stop();
      if (round < 0) return;
      runner.laps.push(lap);
      runner.collections.push(garbage.collections);
    };
    const turns = runners.map((runner) => () => run(runner));
    await alternate(round, turns);
  }
  for (const { pool } of runners) await pool.close();
  return runners.map(({ name, laps, collections }) => ({
    name,
    cpuMs: laps.map(({ cpuMs }) => cpuMs),
    clockMs: laps.map(({ clockMs }) => clockMs),
    garbageCollections: {
      count: collections.reduce((sum, { count }) => sum + count, 0),
      durationMs: collections.reduce((sum, { durationMs }) => sum + durationMs, 0),
    },
  }));
}

async function runLap(pool: OpenPool, course: Course): Promise<Lap> {
  const { load, callers, cycles, resources } = course;
  if (load === 'crowd') return perCycle(await timed(() => crowd(pool, callers, cycles)), cycles);
  if (load === 'alone') return perCycle(await timed(() => alone(pool, cycles)), cycles);
  const sum = { cpuMs: 0, clockMs: 0 };
  for (let done = 0; done < cycles; done += resources) {
    const letGo = pool.holdRecycling?.();
    const { cpuMs, clockMs } = await timed(() => alone(pool, resources), false);
    await letGo?.();
    sum.cpuMs += cpuMs;
    sum.clockMs += clockMs;
  }
  return perCycle(sum, cycles);
}

/** @param toTheEnd whether what goes on behind the last release is part of it */
async function timed(run: () => Promise<void>, toTheEnd = true): Promise<Lap> {
  const startedAt = systemClock.now();
  const cpuAtStart = process.cpuUsage();
  await run();
  if (toTheEnd) await setImmediate();
  const { user, system } = process.cpuUsage(cpuAtStart);
  return { cpuMs: (user + system) / 1000, clockMs: systemClock.now() - startedAt };
}

function perCycle({ cpuMs, clockMs }: Lap, cycles: number): Lap {
  return { cpuMs: cpuMs / cycles, clockMs: clockMs / cycles };
}
