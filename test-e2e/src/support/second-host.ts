import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chown, copyFile, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A second hypervisor on this computer: a libvirtd for QEMU with folders of its own in a mount namespace of its own. */
export interface SecondHost extends AsyncDisposable {
  readonly uri: string;
  /** Standard output of virsh, trimmed. @throws Error with what virsh complains about */
  virsh(...words: readonly string[]): Promise<string>;
  /** Domains and storage pools, a line each, sorted. */
  inventory(): Promise<readonly string[]>;
  /** Ends the daemon at once, as a crash does. Its guests live on. */
  kill(): Promise<void>;
  /** Stops the daemon where it is, or lets it go on: meanwhile it answers nothing, and no connection breaks. */
  pause(isPaused: boolean): Promise<void>;
  /** Starts the daemon, again, and waits until it answers. */
  start(): Promise<void>;
}

/** Where libvirt keeps things, and the folder of the second host that stands in for it. */
const stands = {
  run: '/run/libvirt',
  lib: '/var/lib/libvirt',
  cache: '/var/cache/libvirt',
  log: '/var/log/libvirt',
  etc: '/etc/libvirt',
  // Consoles and channels are locked by the path of their device, which is the same on both hosts.
  lock: '/var/lock',
};
const within = [
  'folder=$1; shift',
  'mount --make-rprivate /',
  ...Object.entries(stands).map(([name, path]) => `mount --bind "$folder/${name}" ${path}`),
  'exec "$@"',
].join(' && ');
const START_TIMEOUT_MS = 20_000;

/**
 * @param settings lines of its libvirtd.conf, after those of this computer
 * @throws Error when this is not Linux with root, libvirtd and tini, or the daemon does not come up
 */
export async function startSecondHost(settings: readonly string[] = []): Promise<SecondHost> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-host-'));
  await makeFolders(folder);
  await appendFile(join(folder, 'etc', 'libvirtd.conf'), `\n${settings.join('\n')}\n`);
  const uri = `qemu:///system?socket=${join(folder, 'run', 'libvirt-sock')}`;
  const virsh = async (...words: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('virsh', ['-q', '-c', uri, ...words]);
    return stdout.trim();
  };
  const programs = new Map<string, ChildProcess>();
  const pidFile = (program: string): string => join(folder, 'run', `${program}.pid`);
  const run = (program: 'libvirtd' | 'virtlogd'): void => {
    const command = ['tini', '-s', '--', program, '--pid-file', join(stands.run, `${program}.pid`)];
    const words = ['-m', 'sh', '-c', within, 'sh', folder, ...command];
    programs.set(program, spawn('unshare', words, { stdio: ['ignore', 'ignore', 'ignore'] }));
  };
  const end = async (program: string): Promise<void> => {
    const child = programs.get(program);
    programs.delete(program);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    const pid = Number(await readFile(pidFile(program), 'utf8').catch(() => ''));
    // tini ends with its child; ending tini alone would leave the daemon.
    if (pid > 1) process.kill(pid, 'SIGKILL');
    else child.kill('SIGKILL');
    await ended;
  };
  const host: SecondHost = {
    uri,
    virsh,
    async inventory() {
      const names = (text: string): string[] => text.split('\n').filter((name) => name.trim() !== '');
      const domains = names(await virsh('list', '--all', '--name')).map((name) => `domain ${name}`);
      const pools = names(await virsh('pool-list', '--all', '--name')).map((name) => `storage pool ${name.trim()}`);
      return [...domains, ...pools].sort();
    },
    kill: () => end('libvirtd'),
    async pause(isPaused) {
      process.kill(Number(await readFile(pidFile('libvirtd'), 'utf8')), isPaused ? 'SIGSTOP' : 'SIGCONT');
    },
    async start() {
      if (!programs.has('virtlogd')) run('virtlogd');
      run('libvirtd');
      for (let waitedMs = 0; ; waitedMs += 100) {
        if (await virsh('version').then(Boolean, () => false)) return;
        if (waitedMs >= START_TIMEOUT_MS) throw new Error(`the second libvirtd does not answer on ${uri}`);
        await delay(100);
      }
    },
    async [Symbol.asyncDispose]() {
      await end('libvirtd');
      await end('virtlogd');
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await host.start();
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
  return host;
}

/** What a fresh installation has, without anything that was defined since. */
async function makeFolders(folder: string): Promise<void> {
  for (const name of Object.keys(stands)) await mkdir(join(folder, name), { mode: 0o711 });
  const { uid, gid } = await stat('/var/lib/libvirt/qemu');
  for (const name of ['lib', 'cache', 'log']) {
    const home = join(folder, name, 'qemu');
    await mkdir(home, { mode: 0o750 });
    if (name !== 'log') await chown(home, uid, gid);
  }
  await mkdir(join(folder, 'lib', 'images'), { mode: 0o711 });
  for (const file of ['qemu.conf', 'libvirtd.conf', 'virtlogd.conf']) {
    await copyFile(join(stands.etc, file), join(folder, 'etc', file)).catch(() => {});
  }
}
