import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { childEnvironment } from '@warmvm/core/driver';
import { systemCommandRunner } from './command-runner.ts';

/** Where Debian's openssh-server has it. */
const SSHD = '/usr/sbin/sshd';

/** Where an sshd listens. */
export interface SshdPlace {
  /** Address of this computer, or of the network name space that `within` leads to. @default '127.0.0.1' */
  readonly address?: string;
  /** Words before the command that starts it, such as `nsenter` with its options. @default none */
  readonly within?: readonly string[];
}

/** An sshd of this process on a port of its own, with generated keys; it lets the user of this process in. */
export interface PrivateSshd extends AsyncDisposable {
  /** The listening process: another one after each start. */
  readonly pid: number;
  readonly port: number;
  /** Its own folder, for more keys. */
  readonly folder: string;
  readonly hostKey: string;
  readonly userKey: string;
  /** A file of known hosts that knows this one. */
  readonly knownHosts: string;
  /** Public keys that are let in, a line each. */
  readonly authorizedKeys: string;
  /** What reaches it, and reads nothing of the user's own configuration: options of `@warmvm/driver-libvirt-ssh`. */
  readonly options: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly keyFile: string;
    readonly knownHosts: string;
    readonly sshConfig: false;
    readonly agent: false;
  };
  /** Ends the listening process at once, as a crash does. What serves a connection lives on. */
  kill(): Promise<void>;
  /** Starts it anew after `kill`, with the same keys on the same port. */
  start(): Promise<void>;
}

/** Whether one can be started here. */
export function canStartSshd(): boolean {
  return process.getuid?.() === 0 && existsSync(SSHD);
}

/** Makes a pair of keys; the public half goes beside it. */
export async function generateKey(file: string, passphrase = ''): Promise<string> {
  const words = ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'warmvm', '-f', file];
  const { exitCode, output } = await systemCommandRunner.run(['ssh-keygen', ...words]);
  if (exitCode !== 0) throw new Error(`ssh-keygen ended with ${exitCode}: ${output}`);
  return file;
}

/**
 * Starts one, on the loopback address where nothing else is said.
 * @param settings lines of its configuration, before the others, so that they count
 * @throws Error when openssh-server is missing, this is not root, or sshd does not come up
 */
export async function startPrivateSshd(
  settings: readonly string[] = [],
  { address = '127.0.0.1', within = [] }: SshdPlace = {},
): Promise<PrivateSshd> {
  if (!canStartSshd()) throw new Error(`${SSHD} must be there and this process root; install openssh-server`);
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-sshd-'));
  const at = (name: string): string => join(folder, name);
  const [hostKey, userKey] = [await generateKey(at('host')), await generateKey(at('user'))];
  const authorizedKeys = at('authorized_keys');
  await writeFile(authorizedKeys, await readFile(`${userKey}.pub`), { mode: 0o600 });
  const port = await freePort();
  const own = ['UsePAM no', 'StrictModes no', 'PidFile none', 'LogLevel INFO', `AuthorizedKeysFile ${authorizedKeys}`];
  const lines = [...settings, `Port ${port}`, `ListenAddress ${address}`, `HostKey ${hostKey}`, ...own];
  await writeFile(at('sshd_config'), `${lines.join('\n')}\n`);
  // Where sshd locks the part of itself in that strangers talk to.
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const words = [...within, SSHD, '-D', '-e', '-f', at('sshd_config')];
  const run = async (): Promise<ChildProcess> => {
    const started = spawn(words[0] as string, words.slice(1), {
      env: childEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await listening(started);
    return started;
  };
  let child = await run();
  const kill = async (): Promise<void> => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGKILL');
    await ended;
  };
  const [type, key] = (await readFile(`${hostKey}.pub`, 'utf8')).split(' ');
  const knownHosts = at('known_hosts');
  await writeFile(knownHosts, `[${address}]:${port} ${type} ${key}\n`, { mode: 0o600 });
  return {
    get pid() {
      return child.pid as number;
    },
    port,
    folder,
    hostKey,
    userKey,
    knownHosts,
    authorizedKeys,
    options: { host: address, port, user: 'root', keyFile: userKey, knownHosts, sshConfig: false, agent: false },
    kill,
    async start() {
      child = await run();
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function listening(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`sshd ended with ${code}: ${said.join('; ')}`)));
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      if (said.length < 20) said.push(line);
      if (line.startsWith('Server listening')) resolve();
    });
  });
}
