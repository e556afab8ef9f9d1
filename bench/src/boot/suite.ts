import { benchOwner } from '../owner.ts';
import type { HostSuite } from '../suite.ts';

/** One machine from a golden snapshot that is there, until its first command has answered. */
export const bootSuite: HostSuite = {
  name: 'boot',
  what: 'one fork until the result of its first command',
  defaultSamples: 20,
  simulated: false,
  needs: [],
  async run({ clock, signal, samples, recorder, rounds }, host) {
    const driver = await host.driver();
    const watch = await host.watchRunning?.(signal);
    try {
      const owner = benchOwner('bench-boot');
      const golden = await driver.prepare(await host.image(), { owner, signal });
      for (let round = 0; round <= samples; round += 1) {
        const startedAt = clock.now();
        const machine = await driver.fork(golden, { owner, signal });
        const forkedAt = clock.now();
        await machine.guest.exec(['true'], { signal });
        const endedAt = clock.now();
        const runningAt = watch?.lastRunningAt(machine.id);
        await machine[Symbol.asyncDispose]();
        // Round 0 is warm-up.
        if (round === 0) continue;
        recorder.add('fork to first result', endedAt - startedAt);
        recorder.stages(
          'fork, one at a time',
          runningAt === undefined
            ? { fork: forkedAt - startedAt, exec: endedAt - forkedAt }
            : { fork: runningAt - startedAt, agent: forkedAt - runningAt, exec: endedAt - forkedAt },
        );
        rounds(round, samples);
      }
    } finally {
      await watch?.[Symbol.asyncDispose]();
      await driver[Symbol.asyncDispose]();
    }
    if (watch === undefined) recorder.caveat('Nobody but the driver tells when a machine runs: fork includes agent.');
  },
};
