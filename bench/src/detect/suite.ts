import { type Driver, type GoldenSnapshot, sleep } from '@warmvm/core';
import { benchOwner } from '../owner.ts';
import { seededIndex } from '../statistics/random.ts';
import { type HostSuite, type HostWith, hostWith, type SuiteContext } from '../suite.ts';
import { byBackoff, byEvent, byFixedPoll } from './observers.ts';
import { nextQuestionAfter } from './poll-schedule.ts';

const PATHS = { 'event path': byEvent, 'backoff poll': byBackoff, 'fixed 500 ms poll': byFixedPoll } as const;
/** Machines are killed that long after the observers began, so that polls are met at every point of their turn. */
const EARLIEST_MS = 100;
const SPREAD_MS = 1_500;
const SEED = 500;
const BY_SIGKILL = 'SIGKILL by a process that is no part of warmvm, which also watched it take effect';
const BEHIND_THE_BACK = "the machine is ended behind its driver's back, by whoever provides the driver";

/** Machines that die, and how soon three ways of looking know it. The truth comes from whoever killed them. */
export const detectSuite: HostSuite = {
  name: 'detect',
  what: 'a machine is killed from outside: how soon events, a backoff poll and a fixed poll know it',
  defaultSamples: 20,
  simulated: true,
  needs: ['crash'],
  async run(context, anyHost) {
    const { signal, recorder, rounds, samples } = context;
    const host = hostWith(anyHost, 'crash');
    const driver = await host.driver();
    const random = seededIndex(SEED);
    try {
      const golden = await driver.prepare(await host.image(), { owner: benchOwner('bench-detect'), signal });
      for (let round = 1; round <= samples; round += 1) {
        await killOne(context, host, driver, golden, EARLIEST_MS + random(SPREAD_MS));
        rounds(round, samples);
      }
    } finally {
      await driver[Symbol.asyncDispose]();
    }
    recorder.group('from the kill to our knowing it', Object.keys(PATHS));
    recorder.fact('the fact', host.processOf === undefined ? BEHIND_THE_BACK : BY_SIGKILL);
    recorder.fact('driver tells changes', driver.capabilities.stateEvents ? 'by events' : 'by polling');
  },
};

async function killOne(
  { clock, signal, recorder }: SuiteContext,
  host: HostWith<'crash'>,
  driver: Driver,
  golden: GoldenSnapshot,
  afterMs: number,
): Promise<void> {
  const machine = await driver.fork(golden, { owner: benchOwner('bench-detect'), signal });
  try {
    const startedAt = clock.now();
    const knowing = Object.values(PATHS).map((observer) => observer(machine, clock, signal));
    const all = Promise.all(knowing);
    // Whichever fails first ends the suite below; the others must not end the process before.
    all.catch(() => {});
    await sleep(clock, afterMs, signal);
    const { killedAt, goneAt } = await host.crash(machine);
    const known = await all;
    for (const [index, path] of Object.keys(PATHS).entries()) recorder.add(path, known[index]! - killedAt);
    recorder.add('until the process is gone', goneAt - killedAt);
    // Asked between the kill and its effect, a driver says rightly that the machine runs.
    const dueAt = startedAt + nextQuestionAfter(goneAt - startedAt);
    recorder.add('backoff poll, over its schedule', Math.max(0, known[1]! - dueAt));
    recorder.stages('killed from outside', { detect: known[0]! - killedAt });
  } finally {
    await machine[Symbol.asyncDispose]();
  }
}
