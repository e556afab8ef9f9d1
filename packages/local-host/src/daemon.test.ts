import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock } from '@warmvm/core/driver';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BackgroundProcess, Command, CommandResult, CommandRunner } from './command-runner.ts';
import { candidateSockets, daemonCommand, ensureLibvirtDaemon } from './daemon.ts';
import type { ensureKvmAccess } from './kvm-access.ts';
import { answers } from './socket.ts';

class ScriptedProcess implements BackgroundProcess {
  readonly pid = 4_000_000;
  readonly signals: string[] = [];
  readonly ended: Promise<CommandResult>;
  stubborn = false;
  #resolve: (result: CommandResult) => void = () => {};

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  end(output = ''): void {
    this.#resolve({ exitCode: 1, output });
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    if (!this.stubborn || signal === 'SIGKILL') this.end();
  }
}

class ScriptedHost implements CommandRunner {
  readonly started: Command[] = [];
  readonly processes: ScriptedProcess[] = [];
  readonly listening = new Set<string>();
  /** What each started daemon does; by default it listens at once. */
  /** What is held while the daemon is ours: connections, and the device opened to QEMU. */
  readonly held = new Set<string>();
  onStart: (program: string, process: ScriptedProcess) => void = (program) => this.listen(program);

  listen(program: string): void {
    this.listening.add(program === 'virtlogd' ? '/run/x/virtlogd-sock' : '/run/x/libvirt-sock');
  }

  async run(): Promise<CommandResult> {
    throw new Error('nothing is run here');
  }

  async start(command: Command): Promise<BackgroundProcess> {
    const process = new ScriptedProcess();
    this.started.push(command);
    this.processes.push(process);
    this.onStart(command.includes('virtlogd') ? 'virtlogd' : 'libvirtd', process);
    return process;
  }

  readonly probe = async (path: string): Promise<boolean> => this.listening.has(path);
}

const runFolder = '/run/x';

/** A clock on which every timer is due at once: waiting costs turns, not time. */
function instantClock(): Clock {
  let nowMs = 0;
  return {
    now: () => nowMs,
    wallTimeMs: () => nowMs,
    setTimer(callback, delayMs) {
      const handle = setImmediate(() => {
        nowMs += delayMs;
        callback();
      });
      return { cancel: () => clearImmediate(handle) };
    },
  };
}

function ensure(host: ScriptedHost, signal?: AbortSignal) {
  const hold = (path: string): AsyncDisposable => {
    host.held.add(path);
    return {
      async [Symbol.asyncDispose]() {
        host.held.delete(path);
      },
    };
  };
  const openKvm: typeof ensureKvmAccess = async () => {
    host.held.add('kvm');
    return {
      changed: true,
      async [Symbol.asyncDispose]() {
        host.held.delete('kvm');
      },
    };
  };
  const common = { runner: host, clock: instantClock(), runFolder, probe: host.probe, hold, openKvm };
  return ensureLibvirtDaemon(signal === undefined ? common : { ...common, signal });
}

/** The private folder that the commands name. */
function folderOf(host: ScriptedHost): string {
  return dirname(host.started[0]?.at(-1) as string);
}

describe('finding a libvirt daemon', () => {
  test('the modular daemon comes before the monolithic one', () => {
    expect(candidateSockets('/r')).toEqual(['/r/virtqemud-sock', '/r/libvirt-sock']);
  });

  test('one that runs is used, and left alone at the end', async () => {
    const host = new ScriptedHost();
    host.listening.add('/run/x/libvirt-sock');
    const daemon = await ensure(host);
    await daemon[Symbol.asyncDispose]();
    expect([daemon.ours, daemon.socketPath, host.started]).toEqual([false, '/run/x/libvirt-sock', []]);
  });

  test('a socket file that nobody listens on is no daemon', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'warmvm-socket-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'sock');
    await writeFile(path, '');
    expect(await answers(path)).toBe(false);
    await rm(path);
    const server = createServer().listen(path);
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await answers(path)).toBe(true);
  });
});

describe('starting a libvirt daemon', () => {
  test('runs it in the foreground below a subreaper, and lets it end by itself when nobody needs it', () => {
    const command = daemonCommand('libvirtd', '/p/libvirtd.pid');
    expect(command).toEqual(['tini', '-s', '--', 'libvirtd', '--timeout', '20', '--pid-file', '/p/libvirtd.pid']);
  });

  test('holds a connection to each daemon, and the device open to QEMU, until it is disposed', async () => {
    const host = new ScriptedHost();
    const daemon = await ensure(host);
    expect([...host.held]).toEqual(['kvm', '/run/x/virtlogd-sock', '/run/x/libvirt-sock']);
    await daemon[Symbol.asyncDispose]();
    expect([...host.held]).toEqual([]);
  });

  test('starts the log daemon first, and stops both in the other order', async () => {
    const host = new ScriptedHost();
    const daemon = await ensure(host);
    expect(host.started.map((command) => command[3])).toEqual(['virtlogd', 'libvirtd']);
    expect([daemon.ours, daemon.subreaper]).toEqual([true, 'tini']);
    const order: string[] = [];
    for (const [index, process] of host.processes.entries()) {
      void process.ended.then(() => order.push(['virtlogd', 'libvirtd'][index] as string));
    }
    await daemon[Symbol.asyncDispose]();
    expect(order).toEqual(['libvirtd', 'virtlogd']);
  });

  test('leaves no folder behind, and stopping twice stops once', async () => {
    const host = new ScriptedHost();
    const daemon = await ensure(host);
    const folder = folderOf(host);
    expect(existsSync(folder)).toBe(true);
    await Promise.all([daemon[Symbol.asyncDispose](), daemon[Symbol.asyncDispose]()]);
    expect(existsSync(folder)).toBe(false);
    expect(host.processes.map(({ signals }) => signals)).toEqual([['SIGTERM'], ['SIGTERM']]);
  });

  test('does not start a second log daemon', async () => {
    const host = new ScriptedHost();
    host.listen('virtlogd');
    await using _daemon = await ensure(host);
    expect(host.started.map((command) => command[3])).toEqual(['libvirtd']);
  });

  test('one that ends at once is an error with its last words, and takes the log daemon with it', async () => {
    const host = new ScriptedHost();
    host.onStart = (program, process) => (program === 'virtlogd' ? host.listen(program) : process.end('cannot lock'));
    await expect(ensure(host)).rejects.toMatchObject({
      code: 'WARMVM_HOST_UNREACHABLE',
      message: expect.stringContaining('cannot lock'),
    });
    expect(host.processes[0]?.signals).toEqual(['SIGTERM']);
    expect(existsSync(folderOf(host))).toBe(false);
  });

  test('one that never listens is given up after the time allowed', async () => {
    const host = new ScriptedHost();
    host.onStart = (program) => {
      if (program === 'virtlogd') host.listen(program);
    };
    await expect(ensure(host)).rejects.toThrow(/libvirtd does not listen on \/run\/x\/libvirt-sock after 30000 ms/);
  });

  test('a program that is missing is an error that names it', async () => {
    const host = new ScriptedHost();
    host.start = async () => {
      throw Object.assign(new Error('spawn tini ENOENT'), { code: 'ENOENT' });
    };
    await expect(ensure(host)).rejects.toThrow(/cannot start virtlogd below tini: spawn tini ENOENT/);
  });

  test('an abort while it comes up is the reason itself, and everything is stopped', async () => {
    const host = new ScriptedHost();
    const controller = new AbortController();
    const reason = new Error('enough');
    host.onStart = () => controller.abort(reason);
    await expect(ensure(host, controller.signal)).rejects.toBe(reason);
    expect(host.processes.map(({ signals }) => signals)).toEqual([['SIGTERM']]);
  });

  test('one that does not end when asked is killed', async () => {
    const host = new ScriptedHost();
    const daemon = await ensure(host);
    for (const process of host.processes) process.stubborn = true;
    await daemon[Symbol.asyncDispose]();
    expect(host.processes.map(({ signals }) => signals)).toEqual([
      ['SIGTERM', 'SIGKILL'],
      ['SIGTERM', 'SIGKILL'],
    ]);
  });

  test('socket files that came with it go with it; older ones stay', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'warmvm-run-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const before = createServer().listen(join(folder, 'older-sock'));
    onTestFinished(() => void before.close());
    const host = new ScriptedHost();
    const ours = createServer();
    onTestFinished(() => void ours.close());
    host.onStart = (program) => {
      if (program === 'virtlogd') host.listening.add(join(folder, 'virtlogd-sock'));
      else {
        ours.listen(join(folder, 'libvirt-sock'));
        host.listening.add(join(folder, 'libvirt-sock'));
      }
    };
    const daemon = await ensureLibvirtDaemon({
      runner: host,
      clock: instantClock(),
      runFolder: folder,
      probe: host.probe,
    });
    expect((await readdir(folder)).sort()).toEqual(['libvirt-sock', 'older-sock']);
    host.listening.clear();
    await daemon[Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual(['older-sock']);
  });
});
