import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { SshOptions } from '@warmvm/driver-libvirt-ssh';
import { processes } from './libvirt-host.ts';

const SSHD = '/usr/sbin/sshd';

/** Keys of a host and of its users, in files. */
export interface SshKeys {
  readonly folder: string;
  readonly hostKey: string;
  readonly otherHostKey: string;
  readonly userKey: string;
  readonly encryptedKey: string;
  readonly passphrase: string;
  readonly strangerKey: string;
}

/** A real sshd on a port of its own, with generated keys. */
export interface SshHost extends AsyncDisposable {
  readonly port: number;
  readonly keys: SshKeys;
  /** A file of known hosts that knows this one. */
  readonly knownHosts: string;
  /** Options that reach it and read nothing of this computer's user. */
  readonly options: SshOptions;
  /** Processes that serve a connection, without the listening one. */
  sessionPids(): Promise<readonly number[]>;
  /** Ends every connection at once, as a crash does; new ones are taken. */
  killSessions(): Promise<void>;
  log(): Promise<string>;
}

async function generate(file: string, words: readonly string[] = []): Promise<string> {
  const passphrase = words.length === 0 ? ['-N', ''] : words;
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', ...passphrase, '-C', 'warmvm-e2e', '-f', file]);
  return file;
}

/** Keys in a folder of their own. */
async function makeKeys(folder: string): Promise<SshKeys> {
  const passphrase = 'a passphrase, not a secret';
  const at = (name: string): string => join(folder, name);
  const keys: SshKeys = {
    folder,
    hostKey: await generate(at('host')),
    otherHostKey: await generate(at('other-host')),
    userKey: await generate(at('user')),
    encryptedKey: await generate(at('encrypted'), ['-N', passphrase]),
    passphrase,
    strangerKey: await generate(at('stranger')),
  };
  const known = await Promise.all([keys.userKey, keys.encryptedKey].map((file) => readFile(`${file}.pub`, 'utf8')));
  await writeFile(at('authorized_keys'), known.join(''), { mode: 0o600 });
  return keys;
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts an sshd for root, who logs in with a key.
 * @param settings lines of its configuration, before the others, so that they count
 * @throws Error when openssh-server is missing or sshd does not come up
 */
export async function startSshHost(settings: readonly string[] = []): Promise<SshHost> {
  if (!existsSync(SSHD)) throw new Error(`${SSHD} is missing; install openssh-server`);
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-ssh-'));
  const keys = await makeKeys(folder);
  const port = await freePort();
  const config = join(folder, 'sshd_config');
  const lines = [
    ...settings,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${keys.hostKey}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'UsePAM no',
    'StrictModes no',
    'PidFile none',
    'LogLevel VERBOSE',
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  // Where sshd locks the part of itself in that strangers talk to.
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const child = spawn(SSHD, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const log: string[] = [];
  await listening(child, log);
  const [type, key] = (await readFile(`${keys.hostKey}.pub`, 'utf8')).split(' ');
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${type} ${key}\n`, { mode: 0o600 });
  const sessionPids = async (): Promise<readonly number[]> => {
    const children = await childrenOf(child.pid as number);
    return (await processes()).filter(({ pid }) => children.has(pid)).map(({ pid }) => pid);
  };
  const killSessions = async (): Promise<void> => {
    for (const pid of await sessionPids()) kill(pid);
  };
  return {
    port,
    keys,
    knownHosts,
    options: {
      host: '127.0.0.1',
      port,
      user: 'root',
      keyFile: keys.userKey,
      knownHosts,
      sshConfig: false,
      agent: false,
    },
    sessionPids,
    killSessions,
    log: async () => log.join('\n'),
    async [Symbol.asyncDispose]() {
      await killSessions();
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function listening(child: ChildProcess, log: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`sshd ended with ${code}: ${log.join('; ')}`)));
    const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      log.push(line);
      if (line.startsWith('Server listening')) resolve();
    });
  });
}

/** All descendants of a process. */
async function childrenOf(root: number): Promise<ReadonlySet<number>> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = /^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found = new Set<number>([root]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const [pid, parent] of parents) {
      if (found.has(parent) && !found.has(pid)) {
        found.add(pid);
        grew = true;
      }
    }
  }
  found.delete(root);
  return found;
}
