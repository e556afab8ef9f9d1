import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const libvirtdPath = '/usr/sbin/libvirtd';

/** The user `nobody`: as it, libvirtd runs in session mode and leaves the system's libvirt alone. */
const nobody = 65_534;

/** A libvirtd of one test file. */
export interface PrivateLibvirtd extends AsyncDisposable {
  /** Its socket; as a URI `test:///default?socket=...`. */
  readonly socketPath: string;
  /** Its private folder. */
  readonly folder: string;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

/**
 * Starts a libvirtd with folders of its own, below tini, which reaps what it leaves.
 * @throws Error when libvirtd or tini is missing, or when it does not come up within 30 s.
 */
export async function startPrivateLibvirtd(): Promise<PrivateLibvirtd> {
  if (!existsSync(libvirtdPath)) throw new Error(`${libvirtdPath} is missing; install libvirt-daemon-system`);
  const folder = await mkdtemp(join(tmpdir(), 'lv-'));
  const isRoot = process.getuid?.() === 0;
  const socketPath = join(folder, 'libvirt-sock');
  const configPath = join(folder, 'libvirtd.conf');
  await writeFile(configPath, `unix_sock_dir = "${folder}"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n`);
  if (isRoot) await chown(folder, nobody, nobody);
  const child = spawn(
    'tini',
    // -p: a run that crashes must not leave the daemon behind.
    [
      '-s',
      '-g',
      '-p',
      'SIGTERM',
      '--',
      libvirtdPath,
      '--config',
      configPath,
      '--pid-file',
      join(folder, 'libvirtd.pid'),
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(isRoot ? { uid: nobody, gid: nobody } : {}),
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        XDG_RUNTIME_DIR: folder,
        XDG_CONFIG_HOME: folder,
        XDG_CACHE_HOME: folder,
        XDG_DATA_HOME: folder,
      },
    },
  );
  const ended = once(child, 'exit').catch((error: unknown) => {
    throw new Error('tini could not be started; install tini', { cause: error });
  });
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill(signal);
      await ended;
    }
  };
  const daemon: PrivateLibvirtd = {
    socketPath,
    folder,
    kill: () => stop('SIGTERM'),
    async [Symbol.asyncDispose]() {
      await stop('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await waitForSocket(child, ended, socketPath);
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}

async function waitForSocket(child: ChildProcess, ended: Promise<unknown>, socketPath: string): Promise<void> {
  let errorText = '';
  child.stderr?.on('data', (chunk) => {
    errorText += String(chunk);
  });
  const early = ended.then(() => {
    throw new Error(`libvirtd ended while starting: ${errorText}`);
  });
  early.catch(() => {});
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (existsSync(socketPath)) return;
    await Promise.race([delay(100), early]);
  }
  throw new Error(`libvirtd made no socket at ${socketPath} within 30 s: ${errorText}`);
}
