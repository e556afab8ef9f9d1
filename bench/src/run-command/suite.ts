import { WarmvmError } from '@warmvm/core';
import { type CommandRunner, systemCommandRunner } from '@warmvm/local-host';
import { alternate } from '../alternate.ts';
import { removeAll } from '../init/cold-boot.ts';
import { Recorder } from '../measure/recorder.ts';
import { type HostSuite, hostWith, type SuiteContext } from '../suite.ts';
import { builtCli, type Cli, succeed } from './cli.ts';
import { type KeptPool, startKeptPool } from './kept-pool.ts';

const POOL = 'bench-run';
const WARM_UP_ROUNDS = 2;

const KEPT = 'warmvm run, from a kept pool';
const OWN = 'warmvm run --no-pool';
const NODE = 'node -e 0';
const OURS = 'ours: run from a kept pool, less the start of node';
const LOADING = 'loading and ending, less the start of node';
/** What `warmvm run --json` tells of itself, and what figures call it. */
const STAGES = { open: 'finding the pool', lend: 'lend', command: 'command', giveBack: 'give back' } as const;

/** A whole command of the shell, as a person waits for it. Replaced in tests: how the command line is found. */
export function createRunSuite(findCli: typeof builtCli): HostSuite {
  return {
    name: 'run',
    what: 'the whole command `warmvm run -- true`: from a kept pool, with a pool of its own, and beside a node that does nothing',
    defaultSamples: 20,
    simulated: false,
    needs: ['choice'],
    async run(context, anyHost) {
      const host = hostWith(anyHost, 'choice');
      const { signal, say, samples, rounds, recorder } = context;
      const cli = await findCli(signal, say);
      say('opening the pool');
      const pool = await startKeptPool(cli, host.choice, POOL, context);
      try {
        for (let round = 1 - WARM_UP_ROUNDS; round <= samples; round += 1) {
          await oneRound(round > 0 ? recorder : new Recorder(), round, cli, pool, context);
          if (round > 0) rounds(round, samples);
        }
        const lent = await pool.lent(signal);
        if (lent !== samples + WARM_UP_ROUNDS) {
          throw new WarmvmError('WARMVM_NOT_READY', `the pool has lent ${lent} machines: not every run came to it`);
        }
      } finally {
        await pool[Symbol.asyncDispose]();
      }
      const driver = await host.driver();
      await removeAll(driver, POOL, signal).finally(() => driver[Symbol.asyncDispose]());
      recorder.group('a whole command', [KEPT, OWN, NODE]);
      recorder.group('where the time of a run from a kept pool goes, beside the start of node', [
        LOADING,
        ...Object.values(STAGES),
      ]);
      recorder.fact('command', 'warmvm run --json -- true; from its start to its end, seen by who started it');
    },
  };
}

/** The suite for the command line as it is built here. */
export const runSuite: HostSuite = createRunSuite(builtCli);

async function oneRound(
  recorder: Recorder,
  round: number,
  cli: Cli,
  pool: KeptPool,
  { clock, signal }: SuiteContext,
): Promise<void> {
  const { environment } = pool;
  const timed = async (command: Parameters<CommandRunner['run']>[0]): Promise<readonly [number, string]> => {
    const startedAt = clock.now();
    const output = await succeed(systemCommandRunner, command, { signal, environment });
    return [clock.now() - startedAt, output];
  };
  let nodeMs = 0;
  let keptMs = 0;
  let told: Readonly<Partial<Record<keyof typeof STAGES, number>>> = {};
  await alternate(round, [
    async () => {
      // Warm means: a machine is ready.
      await pool.ready(signal);
      const [durationMs, output] = await timed([...cli, 'run', '--json', '--', 'true']);
      keptMs = durationMs;
      told = (JSON.parse(output) as { durationsMs: typeof told }).durationsMs;
    },
    async () => {
      [nodeMs] = await timed([process.execPath, '-e', '0']);
    },
    async () => {
      // A machine that is being reset meanwhile would be in its way.
      await pool.ready(signal);
      const [durationMs] = await timed([...cli, 'run', '--no-pool', '--json', '--', 'true']);
      recorder.add(OWN, durationMs);
    },
  ]);
  recorder.add(KEPT, keptMs);
  recorder.add(NODE, nodeMs);
  recorder.add(OURS, keptMs - nodeMs);
  let accountedMs = nodeMs;
  for (const [stage, figure] of Object.entries(STAGES)) {
    const durationMs = told[stage as keyof typeof STAGES] ?? 0;
    accountedMs += durationMs;
    recorder.add(figure, durationMs);
  }
  recorder.add(LOADING, keptMs - accountedMs);
  recorder.stages(KEPT, { queue: (told.open ?? 0) + (told.lend ?? 0), exec: told.command ?? 0 });
}
