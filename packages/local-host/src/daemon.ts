import { lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, sleep, systemClock, WarmvmError } from '@warmvm/core/driver';
import type { BackgroundProcess, Command, CommandRunner } from './command-runner.ts';
import { ensureKvmAccess } from './kvm-access.ts';
import { answers, holdOpen } from './socket.ts';

/** A libvirt daemon that answers. Dispose stops what we started, and nothing else. */
export interface LibvirtDaemon extends AsyncDisposable {
  /** Absolute path of the socket to connect to. */
  readonly socketPath: string;
  /** False when it was running already; then dispose leaves it alone. */
  readonly ours: boolean;
  /** Who reaps ended guests: our `tini`, or whoever does it for a daemon that was there before. For reports. */
  readonly subreaper: 'tini' | 'unknown';
}

export interface EnsureDaemonOptions {
  readonly runner: CommandRunner;
  /** @default the real clock */
  readonly clock?: Clock;
  /** Folder of the system daemon's sockets. @default '/run/libvirt' */
  readonly runFolder?: string;
  /** How long the daemon may take until it listens. @default 30000 */
  readonly startTimeoutMs?: number;
  /** How long it may take to end by itself before it is killed. @default 15000 */
  readonly stopTimeoutMs?: number;
  /** Told what is about to happen, in sentences for people. @default none */
  readonly onProgress?: (text: string) => void;
  readonly signal?: AbortSignal;
  /** Asks whether somebody listens; for tests. @default connects to the socket */
  readonly probe?: (socketPath: string) => Promise<boolean>;
  /** Keeps a daemon from ending for want of company; for tests. @default an idle connection to the socket */
  readonly hold?: (socketPath: string) => AsyncDisposable;
  /** Opens the device to QEMU; for tests. @default ensureKvmAccess */
  readonly openKvm?: typeof ensureKvmAccess;
}

const POLL_MS = [10, 20, 50, 100, 200];

/** Sockets of a system daemon in libvirt's own order: the modular daemon first, then the monolithic one. */
export function candidateSockets(runFolder: string): readonly string[] {
  return [join(runFolder, 'virtqemud-sock'), join(runFolder, 'libvirt-sock')];
}

/** How long a daemon of ours goes on when nobody is connected and no guest runs: after this process was killed. */
const IDLE_SECONDS = 20;

/**
 * How a daemon is run: in the foreground below `tini`, which reaps ended guests at once (`-s`; libvirtd takes a guest that
 * nobody has reaped for a running one). When this process is killed the daemon stays for those who clean up after it, and ends
 * by itself once nobody is connected and no guest runs any more.
 */
export function daemonCommand(program: 'libvirtd' | 'virtlogd', pidFile: string): Command {
  return ['tini', '-s', '--', program, '--timeout', String(IDLE_SECONDS), '--pid-file', pidFile];
}

async function isSocketFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSocket() ?? false;
}

async function socketFiles(folder: string): Promise<ReadonlySet<string>> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const paths = names.map((name) => join(folder, name));
  const sockets = await Promise.all(paths.map(isSocketFile));
  return new Set(paths.filter((_, index) => sockets[index]));
}

/** One daemon below its own subreaper. */
class ManagedDaemon {
  readonly #program: 'libvirtd' | 'virtlogd';
  readonly #process: BackgroundProcess;
  readonly #pidFile: string;
  #endedOutput: string | undefined;

  private constructor(program: 'libvirtd' | 'virtlogd', process: BackgroundProcess, pidFile: string) {
    this.#program = program;
    this.#process = process;
    this.#pidFile = pidFile;
    void process.ended.then(({ output }) => {
      this.#endedOutput = output;
    });
  }

  static async start(runner: CommandRunner, program: 'libvirtd' | 'virtlogd', folder: string): Promise<ManagedDaemon> {
    const pidFile = join(folder, `${program}.pid`);
    try {
      return new ManagedDaemon(program, await runner.start(daemonCommand(program, pidFile)), pidFile);
    } catch (cause) {
      const message = `cannot start ${program} below tini: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new WarmvmError('WARMVM_HOST_UNREACHABLE', message, { cause, details: { program } });
    }
  }

  /** Resolves when somebody listens on the socket. @throws WARMVM_HOST_UNREACHABLE when the daemon ends or the time is over */
  async untilListening(
    socketPath: string,
    probe: (path: string) => Promise<boolean>,
    options: WaitOptions,
  ): Promise<void> {
    const deadlineMs = options.clock.now() + options.timeoutMs;
    for (let attempt = 0; ; attempt += 1) {
      if (await probe(socketPath)) return;
      if (this.#endedOutput !== undefined) throw this.#unreachable('ended at once', this.#endedOutput);
      if (options.clock.now() >= deadlineMs)
        throw this.#unreachable(`does not listen on ${socketPath} after ${options.timeoutMs} ms`, '');
      await sleep(options.clock, POLL_MS[Math.min(attempt, POLL_MS.length - 1)] as number, options.signal);
    }
  }

  #unreachable(what: string, output: string): WarmvmError {
    const tail = output.trim().split('\n').slice(-5).join('\n');
    return new WarmvmError('WARMVM_HOST_UNREACHABLE', `${this.#program} ${what}${tail === '' ? '' : `:\n${tail}`}`, {
      retryable: true,
      details: { program: this.#program },
    });
  }

  /** Resolves when it is gone. */
  async stop(clock: Clock, timeoutMs: number): Promise<void> {
    this.#process.kill('SIGTERM');
    const abandoned = new AbortController();
    const late = sleep(clock, timeoutMs, abandoned.signal).then(
      () => 'late' as const,
      () => 'late' as const,
    );
    const first = await Promise.race([this.#process.ended.then(() => 'ended' as const), late]);
    abandoned.abort();
    if (first === 'ended') return;
    // tini ends with its child; killing tini alone would leave the daemon behind.
    const pid = Number.parseInt(await readFile(this.#pidFile, 'utf8').catch(() => ''), 10);
    if (Number.isInteger(pid) && pid > 1) killQuietly(pid);
    this.#process.kill('SIGKILL');
    await this.#process.ended;
  }
}

interface WaitOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was gone already.
  }
}

/**
 * Finds the system's libvirt daemon, or starts one, with the log daemon it needs for guests, where there is none.
 * @throws WARMVM_HOST_UNREACHABLE when it cannot be started, with the end of what it said; the signal's reason
 */
export async function ensureLibvirtDaemon(options: EnsureDaemonOptions): Promise<LibvirtDaemon> {
  const { runner, clock = systemClock, runFolder = '/run/libvirt', probe = answers, hold = holdOpen, signal } = options;
  signal?.throwIfAborted();
  for (const socketPath of candidateSockets(runFolder)) {
    if (await probe(socketPath)) {
      return { socketPath, ours: false, subreaper: 'unknown', [Symbol.asyncDispose]: async () => {} };
    }
  }
  options.onProgress?.('starting libvirtd below tini');
  const before = await socketFiles(runFolder);
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-libvirt-'));
  const wait = { clock, timeoutMs: options.startTimeoutMs ?? 30_000, ...(signal === undefined ? {} : { signal }) };
  const daemons: ManagedDaemon[] = [];
  const held: AsyncDisposable[] = [];
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    for (const thing of held.toReversed()) await thing[Symbol.asyncDispose]();
    for (const daemon of daemons.toReversed()) await daemon.stop(clock, options.stopTimeoutMs ?? 15_000);
    for (const path of await socketFiles(runFolder)) {
      if (!before.has(path) && !(await probe(path))) await rm(path, { force: true });
    }
    await rm(folder, { recursive: true, force: true });
  };
  const dispose = (): Promise<void> => {
    stopping ??= stop();
    return stopping;
  };
  try {
    const { openKvm = ensureKvmAccess, onProgress } = options;
    held.push(await openKvm(onProgress === undefined ? {} : { onProgress }));
    const logSocket = join(runFolder, 'virtlogd-sock');
    if (!(await probe(logSocket))) {
      const logDaemon = await ManagedDaemon.start(runner, 'virtlogd', folder);
      daemons.push(logDaemon);
      await logDaemon.untilListening(logSocket, probe, wait);
      held.push(hold(logSocket));
    }
    const daemon = await ManagedDaemon.start(runner, 'libvirtd', folder);
    daemons.push(daemon);
    const socketPath = join(runFolder, 'libvirt-sock');
    await daemon.untilListening(socketPath, probe, wait);
    held.push(hold(socketPath));
    return { socketPath, ours: true, subreaper: 'tini', [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
