import { type CloseReport, systemClock } from '@warmvm/core';
import type { ImageChoice } from '../config/config.ts';
import { readSettings, type Settings, type SettingsFlags } from '../config/settings.ts';
import { EXIT } from '../exit-codes.ts';
import { runInterruptibly } from '../interruptible.ts';
import { digestOfDrivers, digestOfImage, stampOf } from '../kept-pool/client/find-pool.ts';
import { LONGEST_MS, PROTOCOL_VERSION } from '../kept-pool/protocol/limits.ts';
import type { Welcome } from '../kept-pool/protocol/messages.ts';
import { DEFAULT_POOL } from '../kept-pool/runtime-folder.ts';
import { keepBound } from '../kept-pool/server/bound-again.ts';
import { claimSocket } from '../kept-pool/server/claimed-socket.ts';
import { drainFacts } from '../kept-pool/server/drain-facts.ts';
import { PoolServer } from '../kept-pool/server/pool-server.ts';
import type { Output } from '../output.ts';
import { packageVersion } from '../package-version.ts';
import { withDriver } from '../place/open-source.ts';
import { type OpenPool, openPool } from '../place/own-pool.ts';
import { progressFor } from '../progress.ts';
import { operatorText } from '../top/event-text.ts';
import type { PoolStartOptions } from './command.ts';
import { drainText } from './drain-text.ts';

/** Runs `warmvm pool start`. Resolves with the exit code when the pool has ended: 0, or 1 when something was taken back or left behind. */
export function runPoolStart(options: PoolStartOptions, output: Output): Promise<number> {
  const words = 'draining: waiting for what is lent, then destroying the machines (Ctrl-C again: leave at once)';
  const lifeline = options.untilStdinEnds === true ? { lifeline: process.stdin } : {};
  return runInterruptibly(output, (signal) => keepPool(options, output, signal), { words, ...lifeline });
}

async function keepPool(
  { grace, json, name, untilStdinEnds: _, ...flags }: PoolStartOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const settings = await withDriver(await readSettings(name === undefined ? flags : { ...flags, pool: name }));
  const pool = settings.pool.name ?? DEFAULT_POOL;
  const log = (text: string): void => output.writeError(`${logTime()} pool ${pool}: ${text}\n`);
  const claimed = keepBound(await claimSocket(pool), { onChange: log });
  // Also for those ends of the process that no `finally` sees.
  process.once('exit', claimed.removeNow);
  const server = new PoolServer({
    server: claimed.server,
    welcome: welcomeOf(settings, flags),
    leaseMs: settings.pool.leaseMs ?? LONGEST_MS,
    clock: systemClock,
  });
  try {
    const opened = await open({ ...settings, pool: { ...settings.pool, name: pool } }, server, log, signal);
    void logEvents(opened, log);
    try {
      const { minReady, max } = opened.pool.stats();
      const facts = { schema: 1, type: 'ready', pool, pid: process.pid, socket: claimed.path, minReady, max };
      const told = `pool ${pool} is ready: ${minReady} of at most ${max} machines on ${server.welcome.drivers.join(', ')}. `;
      output.write(json === true ? `${JSON.stringify(facts)}\n` : `${told}End it with Ctrl-C or: warmvm pool drain\n`);
      const report = drainFacts(await untilDrained(server, grace, signal));
      output.write(
        json === true ? `${JSON.stringify({ schema: 1, type: 'ended', pool, ...report })}\n` : drainText(pool, report),
      );
      return report.revoked + report.undestroyed === 0 ? EXIT.ok : EXIT.failed;
    } finally {
      await opened[Symbol.asyncDispose]();
    }
  } finally {
    // First nobody finds the pool any more, then those who have are told.
    claimed.removeNow();
    await server.close();
    await claimed[Symbol.asyncDispose]();
    process.off('exit', claimed.removeNow);
  }
}

/** Opens the pool and waits until its spare machines are ready. @throws what keeps them from that; the signal's reason */
async function open(
  settings: Settings,
  server: PoolServer,
  log: (text: string) => void,
  signal: AbortSignal,
): Promise<OpenPool> {
  const progress = progressFor(process.stderr, { writeLine: log });
  try {
    const warn = (text: string): void => {
      progress.stop();
      log(text);
    };
    const opened = await openPool(settings, { signal, say: progress.say, warn });
    server.open(opened);
    progress.say('making machines');
    try {
      await opened.pool.ready({ signal });
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    server.fail(error);
    throw error;
  } finally {
    progress.stop();
  }
}

/** One line for each event that an operator asks about, until the pool ends. */
async function logEvents({ pool }: OpenPool, log: (text: string) => void): Promise<void> {
  for await (const event of pool.events()) {
    const text = operatorText(event);
    if (text !== undefined) log(text);
  }
}

function logTime(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Waits for a drain that somebody asks for, or begins one when it is interrupted. */
async function untilDrained(server: PoolServer, graceMs: number, signal: AbortSignal): Promise<CloseReport> {
  const interrupt = (): void => void server.drain(graceMs).catch(() => {});
  signal.addEventListener('abort', interrupt, { once: true });
  if (signal.aborted) interrupt();
  try {
    return await server.drained;
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

function welcomeOf({ drivers, image, pool, folder, configPath }: Settings, flags: SettingsFlags): Welcome {
  const { WARMVM_DRIVER, WARMVM_IMAGE } = process.env;
  const isByFile = !(flags.driver ?? flags.image ?? (WARMVM_DRIVER || WARMVM_IMAGE));
  return {
    type: 'welcome',
    protocol: PROTOCOL_VERSION,
    version: packageVersion(),
    pid: process.pid,
    pool: pool.name ?? DEFAULT_POOL,
    drivers: drivers.map(({ use }) => use),
    image: nameOf(image),
    driversDigest: digestOfDrivers(drivers, folder),
    imageDigest: digestOfImage(image, folder),
    config: (isByFile && configPath !== undefined && stampOf(configPath)) || null,
  };
}

function nameOf(image: ImageChoice): string {
  if (typeof image === 'string') return image;
  if ('tiny' in image) return 'tiny';
  return 'disk' in image ? image.disk : image.kernel;
}
