import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type PoolStats, sleep, WarmvmError } from '@warmvm/core';
import { type CommandRunner, systemCommandRunner } from '@warmvm/local-host';
import type { HostChoice } from '../host/bench-host.ts';
import type { Cli } from './cli.ts';

/** Spare machines: one to lend, one more so that the next is there while that is reset. */
const READY = 2;
const ASK_AGAIN_MS = 20;
const LONGEST_MS = 120_000;

/** A pool that a process of its own keeps, in a place where nobody else looks for one. */
export interface KeptPool extends AsyncDisposable {
  /** What a command needs to find it, and nothing of the user. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resolves when all its spare machines are ready. @throws WARMVM_NOT_READY when they do not become so */
  ready(signal: AbortSignal): Promise<void>;
  /** How many machines it has lent. */
  lent(signal: AbortSignal): Promise<number>;
}

/** Starts `warmvm pool start` on a host. @throws WARMVM_NOT_READY with what it said, when it ends; the signal's reason */
export async function startKeptPool(
  cli: Cli,
  choice: HostChoice,
  name: string,
  { clock, signal, runner = systemCommandRunner }: KeptPoolScene,
): Promise<KeptPool> {
  // Short: a socket lies in it.
  const folder = await mkdtemp(join(tmpdir(), 'wr-'));
  const config = join(folder, 'warmvm.config.json');
  const environment = { XDG_RUNTIME_DIR: folder, WARMVM_CONFIG: config, WARMVM_POOL: name };
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const pool = { name, minReady: READY, max: READY + 1 };
    await writeFile(config, JSON.stringify({ driver: choice, image: 'tiny', pool }));
    // Killed, this process cannot end it.
    const words = ['pool', 'start', '--grace', '1ms', '--until-stdin-ends'];
    const server = await runner.start([...cli, ...words], { environment, lifeline: true });
    const dispose = async (): Promise<void> => {
      server.kill('SIGTERM');
      await server.ended;
      await remove();
    };
    const over = new AbortController();
    void server.ended.then(({ exitCode, output }) => {
      over.abort(notReady(`warmvm pool start ended with ${exitCode}:\n${output.slice(-2000)}`));
    });
    const stats = (until: AbortSignal): Promise<Stats | null> =>
      statsOf(cli, environment, runner, AbortSignal.any([until, over.signal]));
    const ready = (until: AbortSignal): Promise<void> =>
      untilReady(async () => (await stats(until))?.slots.ready ?? 0, clock, AbortSignal.any([until, over.signal]));
    try {
      await ready(signal);
    } catch (error) {
      await dispose();
      throw error;
    }
    const lent = async (until: AbortSignal): Promise<number> => (await stats(until))?.counters.acquired ?? 0;
    return { environment, ready, lent, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** What {@link startKeptPool} works with. */
export interface KeptPoolScene {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly runner?: Pick<CommandRunner, 'run' | 'start'>;
}

async function untilReady(spare: () => Promise<number>, clock: Clock, signal: AbortSignal): Promise<void> {
  const dueAt = clock.now() + LONGEST_MS;
  while ((await spare()) < READY) {
    if (clock.now() > dueAt) throw notReady(`the pool has no ${READY} machines ready after ${LONGEST_MS} ms`);
    await sleep(clock, ASK_AGAIN_MS, signal);
  }
}

type Stats = Pick<PoolStats, 'slots' | 'counters'>;

/** What the pool says of itself; null as long as nobody answers, or it is being opened. */
async function statsOf(
  cli: Cli,
  environment: KeptPool['environment'],
  runner: Pick<CommandRunner, 'run'>,
  signal: AbortSignal,
): Promise<Stats | null> {
  const { exitCode, output } = await runner.run([...cli, 'pool', 'status', '--json'], { environment, signal });
  return exitCode === 0 ? (JSON.parse(output) as { stats: Stats | null }).stats : null;
}

function notReady(message: string): WarmvmError {
  return new WarmvmError('WARMVM_NOT_READY', message);
}
