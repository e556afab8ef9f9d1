import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type KernelBoot, sleep, systemClock } from '@warmvm/core/driver';

/** How a program in the guest ended. */
export interface BareResult {
  readonly exitCode: number;
  readonly output: string;
  readonly complaint: string;
}

/** A guest booted by QEMU alone, spoken to in the agent's raw JSON: no code of ours lies between. */
export interface BareGuest extends AsyncDisposable {
  /** From the start of QEMU to the first answer of the agent. */
  readonly bootMs: number;
  run(path: string, list?: readonly string[], input?: Buffer): Promise<BareResult>;
  /** Asks the agent to shut down. It does not answer. */
  shutDown(): void;
  /** Resolves with QEMU's exit code when QEMU ends. */
  readonly ended: Promise<number | null>;
}

/** Makes a blank disk that lives as long as it is not disposed. */
export async function blankDisk(sizeBytes: number): Promise<{ path: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'warmvm-e2e-disk-'));
  const path = join(directory, 'disk.qcow2');
  await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', path, String(sizeBytes)]);
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

/** Boots a kernel under emulation, whatever this machine can, so that results compare. Resolves when the agent answers. */
export async function bootBareGuest(boot: KernelBoot, diskPath: string): Promise<BareGuest> {
  const directory = await mkdtemp(join(tmpdir(), 'warmvm-e2e-guest-'));
  const socketPath = join(directory, 'agent.sock');
  const server = createServer();
  server.listen(socketPath);
  await once(server, 'listening');
  const startedAt = systemClock.now();
  // It goes with the suite, also when that is interrupted.
  const words = ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...machineArguments(boot, diskPath, socketPath)];
  const process = spawn('setpriv', words, { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => {
    process.once('exit', (code) => resolve(code));
    process.once('error', () => resolve(null));
  });
  const tidy = async (socket?: Socket): Promise<void> => {
    await kill(process, ended);
    socket?.destroy();
    server.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const connection = once(server, 'connection') as Promise<[Socket]>;
    const [socket] = await Promise.race([
      connection,
      ended.then(() => Promise.reject(new Error('QEMU did not start'))),
    ]);
    socket.on('error', () => undefined);
    const call = caller(socket, ended);
    await call('guest-sync', { id: 1 }, BOOT_MS);
    return {
      bootMs: systemClock.now() - startedAt,
      run: (path, list = [], input) => runInGuest(call, path, list, input),
      shutDown: () => void socket.write('{"execute":"guest-shutdown","arguments":{"mode":"powerdown"}}\n'),
      ended,
      [Symbol.asyncDispose]: () => tidy(socket),
    };
  } catch (error) {
    await tidy();
    throw error;
  }
}

function machineArguments(boot: KernelBoot, diskPath: string, socketPath: string): string[] {
  return [
    ...['-accel', 'tcg', '-M', 'pc', '-cpu', 'max', '-m', '256', '-nographic', '-no-reboot', '-nodefaults'],
    ...['-kernel', boot.kernel.path, '-initrd', boot.initrd.path, '-append', boot.commandLine],
    ...['-drive', `file=${diskPath},format=qcow2,if=virtio`],
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=agent,path=${socketPath},server=off`],
    ...['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
  ];
}

type Call = (command: string, given: object, answerMs?: number) => Promise<Record<string, unknown>>;

/** A call that gets no answer in this time was lost with the agent that had taken it. */
const ANSWER_MS = 10_000;

/** The first answer takes a boot. */
const BOOT_MS = 100_000;

function caller(socket: Socket, ended: Promise<unknown>): Call {
  let take: ((line: string) => void) | undefined;
  createInterface({ input: socket }).on('line', (line) => take?.(line));
  const gone = ended.then(() => Promise.reject(new Error('QEMU ended')));
  gone.catch(() => undefined);
  return async (command, given, answerMs = ANSWER_MS) => {
    const answer = new Promise<string>((resolve) => {
      take = resolve;
    });
    const late = new AbortController();
    socket.write(`${JSON.stringify({ execute: command, arguments: given })}\n`);
    try {
      const line = await Promise.race([answer, gone, unanswered(command, answerMs, late.signal)]);
      const reply = JSON.parse(line.replace(/^[^{]*/, '')) as { return?: unknown; error?: unknown };
      if (reply.error !== undefined) throw new Error(`${command}: ${JSON.stringify(reply.error)}`);
      return reply.return as Record<string, unknown>;
    } finally {
      take = undefined;
      late.abort();
    }
  };
}

async function unanswered(command: string, answerMs: number, signal: AbortSignal): Promise<never> {
  await sleep(systemClock, answerMs, signal);
  throw new Error(`${command}: no answer within ${answerMs} ms`);
}

async function runInGuest(call: Call, path: string, list: readonly string[], input?: Buffer): Promise<BareResult> {
  const data = input === undefined ? {} : { 'input-data': input.toString('base64') };
  const { pid } = await call('guest-exec', { path, arg: list, 'capture-output': true, ...data });
  for (;;) {
    const status = await call('guest-exec-status', { pid });
    if (status.exited) {
      const text = (key: string): string => Buffer.from(String(status[key] ?? ''), 'base64').toString();
      return { exitCode: Number(status.exitcode ?? -1), output: text('out-data'), complaint: text('err-data') };
    }
    await sleep(systemClock, 10);
  }
}

async function kill(process: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (process.exitCode === null && process.signalCode === null) process.kill('SIGKILL');
  await ended;
}
