import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SshOptions } from '@warmvm/driver-libvirt-ssh';
import { generateKey, type SshdPlace, startPrivateSshd } from '@warmvm/local-host';
import { processes } from './libvirt-host.ts';

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

/** A real sshd on a port of its own, with generated keys of all kinds. */
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
  /** Ends every connection and who listens for new ones. */
  kill(): Promise<void>;
  /** Listens again. */
  start(): Promise<void>;
}

/**
 * Starts an sshd for root, who logs in with a key.
 * @param settings lines of its configuration, before the others, so that they count
 * @throws Error when openssh-server is missing or sshd does not come up
 */
export async function startSshHost(settings: readonly string[] = [], place: SshdPlace = {}): Promise<SshHost> {
  const sshd = await startPrivateSshd(settings, place);
  const { folder, hostKey, userKey, port, knownHosts, options } = sshd;
  const passphrase = 'a passphrase, not a secret';
  const at = (name: string): string => join(folder, name);
  const keys: SshKeys = {
    folder,
    hostKey,
    userKey,
    passphrase,
    otherHostKey: await generateKey(at('other-host')),
    encryptedKey: await generateKey(at('encrypted'), passphrase),
    strangerKey: await generateKey(at('stranger')),
  };
  const known = await Promise.all([keys.userKey, keys.encryptedKey].map((file) => readFile(`${file}.pub`, 'utf8')));
  await writeFile(sshd.authorizedKeys, known.join(''), { mode: 0o600 });
  const sessionPids = async (): Promise<readonly number[]> => {
    const children = await childrenOf(sshd.pid);
    return (await processes()).filter(({ pid }) => children.has(pid)).map(({ pid }) => pid);
  };
  const killSessions = async (): Promise<void> => {
    for (const pid of await sessionPids()) kill(pid);
  };
  return {
    port,
    keys,
    knownHosts,
    options,
    sessionPids,
    killSessions,
    async kill() {
      // Without the listening process nobody knows any more whose children they were.
      const sessions = await sessionPids();
      await sshd.kill();
      sessions.forEach(kill);
    },
    start: () => sshd.start(),
    async [Symbol.asyncDispose]() {
      await killSessions();
      await sshd[Symbol.asyncDispose]();
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
