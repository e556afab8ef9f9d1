import { readFile } from 'node:fs/promises';
import type { FakeSuite, SuiteContext } from '../suite.ts';
import { leastProgram } from './least-program.ts';
import { missingPeers, PEER_NAMES, peerFile } from './peers.ts';
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
const DUE_PROCESSES = 9;
const OURS = warmvmContender.name;
const NAMES: readonly string[] = [OURS, ...PEER_NAMES];

const COURSES: readonly (Pick<Course, 'load' | 'work' | 'resources'> & { readonly name: string })[] = [
  { name: 'lend', load: 'lend', work: 'none', resources: 100 },
  { name: 'alone', load: 'alone', work: 'none', resources: 10 },
  { name: 'crowd', load: 'crowd', work: 'none', resources: 10 },
  { name: 'alone, same work', load: 'alone', work: 'bounded recycle', resources: 10 },
  { name: 'crowd, same work', load: 'crowd', work: 'bounded recycle', resources: 10 },
  { name: 'alone, same work without limits', load: 'alone', work: 'recycle', resources: 10 },
  { name: 'crowd, same work without limits', load: 'crowd', work: 'recycle', resources: 10 },
];

/** Where ours and the fastest peer take turns with the least program too, in a process where the other peers are not disturbed by it. */
const LEAST_COURSES: ReadonlySet<string> = new Set(['lend', 'crowd, same work']);

/** What the pool itself costs, against those of npm: resources that do nothing, processes of their own. */
export const poolEngineSuite: FakeSuite = {
  name: 'pool-engine',
  driver: 'fake',
  what: 'acquire and release of trivial resources, beside five pools of npm, with a deadline on every acquire',
  defaultSamples: 20,
  obstacle: () => missingPeers(),
  async run(context) {
    for (const course of COURSES) {
      const fastestPeer = await runCourse(context, course);
      if (LEAST_COURSES.has(course.name)) await runLeast(context, course, fastestPeer);
    }
    for (const waiters of HEAP_WAITERS) await weighWaiters(context, waiters);
    await rejectWaiters(context);
    const [fewer, more] = DUE_WAITERS.map((waiters) => deadlinesFigure(OURS, waiters));
    context.recorder.ratio('10000 deadlines to 5000', more!, fewer!);
    for (const name of PEER_NAMES) context.recorder.fact(`version of ${name}`, await versionOf(name));
  },
};

async function runCourse(
  { samples, signal, recorder, say }: SuiteContext,
  run: (typeof COURSES)[number],
): Promise<string> {
  const courseName = run.name;
  const course = courseOf(run, samples);
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
  return fastestPeer;
}

async function runLeast(
  { samples, signal, recorder }: SuiteContext,
  run: (typeof COURSES)[number],
  fastestPeer: string,
): Promise<void> {
  const task = { kind: 'race', course: courseOf(run, samples), besideLeast: fastestPeer } as const;
  const figureOf = (name: string): string => `${run.name}, beside the least program: ${name}, CPU`;
  for (const { name, cpuMs } of await measureApart(task, signal)) {
    for (const value of cpuMs) recorder.add(figureOf(name), value);
  }
  const least = leastProgram.name;
  recorder.ratio(`${run.name}: ${least} to ${OURS}`, figureOf(least), figureOf(OURS));
  recorder.ratio(`${run.name}: fastest peer to ${least}`, figureOf(fastestPeer), figureOf(least));
}

function courseOf({ load, work, resources }: (typeof COURSES)[number], rounds: number): Course {
  return { load, work, resources, callers: CALLERS, cycles: CYCLES, rounds, deadlineMs: DEADLINE_MS };
}

async function weighWaiters({ signal, recorder }: SuiteContext, waiters: number): Promise<void> {
  for (let round = 0; round < PROCESSES; round += 1) {
    for (const name of NAMES) {
      const task = { kind: 'heap', contender: name, waiters, deadlineMs: DEADLINE_MS } as const;
      const { bytesPerWaiter } = await measureApart(task, signal);
      recorder.add(`heap of each of ${waiters} waiters: ${name}`, bytesPerWaiter, 'bytes');
    }
  }
}

/** Few and many take turns, so that a computer which is quicker for a while is that for both. */
async function rejectWaiters({ signal, recorder }: SuiteContext): Promise<void> {
  for (let round = 0; round < DUE_PROCESSES; round += 1) {
    for (const waiters of DUE_WAITERS) {
      for (const name of NAMES) {
        const { cpuMs } = await measureApart({ kind: 'deadlines', contender: name, waiters }, signal);
        recorder.add(deadlinesFigure(name, waiters), cpuMs);
      }
    }
  }
}

function deadlinesFigure(name: string, waiters: number): string {
  return `${waiters} deadlines at once: ${name}, CPU`;
}

async function versionOf(name: string): Promise<string> {
  const main = peerFile(name);
  const folder = main.slice(0, main.lastIndexOf(`/${name}/`) + name.length + 2);
  return (JSON.parse(await readFile(`${folder}package.json`, 'utf8')) as { version: string }).version;
}
