import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { FakeSuite, SuiteContext } from '../suite.ts';
import { CONTENDERS } from './contenders.ts';
import { PEERS } from './peer-contenders.ts';
import type { Course } from './race.ts';
import { spreadText, standingOf } from './standings.ts';
import { measureApart } from './task.ts';
import { warmvmContender } from './warmvm-contender.ts';

const DEADLINE_MS = 30_000;
const CALLERS = 1_000;
const CYCLES = 10_000;
const HEAP_WAITERS = [1_000, 10_000];
const DUE_WAITERS = [5_000, 10_000];
const PROCESSES = 5;
const OURS = warmvmContender.name;

const COURSES: readonly (Pick<Course, 'load' | 'work' | 'resources'> & { readonly name: string })[] = [
  { name: 'lend', load: 'lend', work: 'none', resources: 100 },
  { name: 'alone', load: 'alone', work: 'none', resources: 10 },
  { name: 'crowd', load: 'crowd', work: 'none', resources: 10 },
  { name: 'alone, same work', load: 'alone', work: 'recycle', resources: 10 },
  { name: 'crowd, same work', load: 'crowd', work: 'recycle', resources: 10 },
];

/** What the pool itself costs, against those of npm: resources that do nothing, processes of their own. */
export const poolEngineSuite: FakeSuite = {
  name: 'pool-engine',
  driver: 'fake',
  what: 'acquire and release of trivial resources, beside five pools of npm, with a deadline on every acquire',
  defaultSamples: 20,
  async run(context) {
    for (const course of COURSES) await runCourse(context, course);
    for (const waiters of HEAP_WAITERS) await weighWaiters(context, waiters);
    for (const waiters of DUE_WAITERS) await rejectWaiters(context, waiters);
    const [fewer, more] = DUE_WAITERS.map((waiters) => deadlinesFigure(OURS, waiters));
    context.recorder.ratio('10000 deadlines to 5000', more!, fewer!);
    for (const { name } of PEERS) context.recorder.fact(`version of ${name}`, await versionOf(name));
  },
};

async function runCourse(
  { samples, signal, recorder, say }: SuiteContext,
  run: (typeof COURSES)[number],
): Promise<void> {
  const { name: courseName, ...rest } = run;
  const course = { ...rest, callers: CALLERS, cycles: CYCLES, rounds: samples, deadlineMs: DEADLINE_MS };
  const finishes = await measureApart({ kind: 'race', course }, signal);
  for (const { name, cpuMs, clockMs, garbageCollections } of finishes) {
    for (const value of cpuMs) recorder.add(`${courseName}: ${name}, CPU`, value);
    for (const value of clockMs) recorder.add(`${courseName}: ${name}, clock`, 1000 / value, 'calls/s');
    const { count, durationMs } = garbageCollections;
    recorder.fact(`${courseName}: collections, ${name}`, `${count} in ${Math.round(durationMs)} ms`);
  }
  const { fastestPeer, ratios } = standingOf(OURS, finishes);
  recorder.ratio(
    `${courseName}: fastest peer to ${OURS}`,
    `${courseName}: ${fastestPeer}, CPU`,
    `${courseName}: ${OURS}, CPU`,
  );
  recorder.fact(`${courseName}: fastest peer`, `${fastestPeer}; ${spreadText(ratios)}`);
  say(`${courseName}: ${fastestPeer} to ${OURS}: ${spreadText(ratios)}`);
}

async function weighWaiters({ signal, recorder }: SuiteContext, waiters: number): Promise<void> {
  for (let round = 0; round < PROCESSES; round += 1) {
    for (const { name } of CONTENDERS) {
      const task = { kind: 'heap', contender: name, waiters, deadlineMs: DEADLINE_MS } as const;
      const { bytesPerWaiter } = await measureApart(task, signal);
      recorder.add(`heap of each of ${waiters} waiters: ${name}`, bytesPerWaiter, 'bytes');
    }
  }
}

async function rejectWaiters({ signal, recorder }: SuiteContext, waiters: number): Promise<void> {
  for (let round = 0; round < PROCESSES; round += 1) {
    for (const { name } of CONTENDERS) {
      const { cpuMs } = await measureApart({ kind: 'deadlines', contender: name, waiters }, signal);
      recorder.add(deadlinesFigure(name, waiters), cpuMs);
    }
  }
}

function deadlinesFigure(name: string, waiters: number): string {
  return `${waiters} deadlines at once: ${name}, CPU`;
}

async function versionOf(name: string): Promise<string> {
  const main = createRequire(import.meta.url).resolve(name);
  const folder = main.slice(0, main.lastIndexOf(`/${name}/`) + name.length + 2);
  return (JSON.parse(await readFile(`${folder}package.json`, 'utf8')) as { version: string }).version;
}
