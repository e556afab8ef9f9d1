import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createGuestAgent, type GuestAgent, type StreamChannel, streamChannel } from '@warmvm/guest-agent';

const AGENT_PATH = '/usr/sbin/qemu-ga';
const START_TIMEOUT_MS = 10_000;

/** The real guest agent, run on this very computer: nobody may set the time, freeze file systems or shut down through it. */
export interface HostAgent extends AsyncDisposable {
  readonly folder: string;
  readonly channel: StreamChannel;
  readonly agent: GuestAgent;
  /** Names of the files that calls of this agent keep their streams in; others on this computer have theirs beside them. */
  readonly execNames: ReadonlySet<string>;
  /** How many files below the path the agent has open, those without a name included. */
  openFilesBelow(path: string): Promise<number>;
}

export async function startHostAgent(): Promise<HostAgent> {
  if (!existsSync(AGENT_PATH)) throw new Error(`${AGENT_PATH} is missing; install qemu-guest-agent`);
  const folder = await mkdtemp(join(tmpdir(), 'ga-'));
  const state = join(folder, 'state');
  await mkdir(state, { mode: 0o700 });
  const socketPath = join(folder, 'socket');
  const child = spawn(
    AGENT_PATH,
    ['-m', 'unix-listen', '-p', socketPath, '-t', state, '-f', join(folder, 'pid'), '-l', join(folder, 'log')],
    { stdio: 'ignore' },
  );
  for (let waitedMs = 0; !existsSync(socketPath); waitedMs += 20) {
    if (waitedMs > START_TIMEOUT_MS || child.exitCode !== null) {
      const log = await readFile(join(folder, 'log'), 'utf8').catch(() => '');
      throw new Error(`qemu-ga did not start: ${log}`);
    }
    await delay(20);
  }
  const socket = connect(socketPath);
  await once(socket, 'connect');
  const execNames = new Set<string>();
  const write = socket.write.bind(socket) as (...words: unknown[]) => boolean;
  socket.write = (...words: unknown[]): boolean => {
    for (const [name] of String(words[0]).matchAll(/warmvm-exec-[0-9a-f-]{36}/g)) execNames.add(name);
    return write(...words);
  };
  const channel = streamChannel(socket);
  return {
    folder,
    channel,
    execNames,
    agent: createGuestAgent(channel),
    async openFilesBelow(path) {
      const fdFolder = `/proc/${child.pid}/fd`;
      const names = await readdir(fdFolder);
      const targets = await Promise.all(names.map((name) => readlink(join(fdFolder, name)).catch(() => '')));
      return targets.filter((target) => target.startsWith(path)).length;
    },
    async [Symbol.asyncDispose]() {
      await channel[Symbol.asyncDispose]();
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
