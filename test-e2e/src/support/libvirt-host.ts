import { execFile } from 'node:child_process';
import { access, readdir, readFile, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ensureLibvirtDaemon, systemCommandRunner } from '@warmvm/local-host';

/** This computer's libvirt, seen with libvirt's own tool: what our code says is held against it. */
export interface LibvirtHost extends AsyncDisposable {
  readonly uri: string;
  /** Standard output of virsh, trimmed. @throws Error with what virsh complains about */
  virsh(...words: readonly string[]): Promise<string>;
  /** A domain's state with its reason, such as `shut off (crashed)`. */
  stateOf(domain: string): Promise<string>;
  /**
   * Domains, storage pools, volumes, QEMU processes, and which of the folders exist, a line each, sorted. Without what is called as `warmvm start`
   * calls it, unless that is looked for: somebody may run that on this computer meanwhile.
   */
  inventory(folders?: readonly string[], wanted?: 'main job too'): Promise<readonly string[]>;
}

/** Machines of `warmvm start`, its storage pool, and what is in that. */
const MAIN_JOB = / (?:warmvm|(?:warmvm\/)?warmvm-start-\S+)$/;

/**
 * The daemon of the environment variable WARMVM_LIBVIRT_SOCKET, else the system's, started when none runs.
 * @throws when there is no hypervisor: a suite on real machines fails then
 */
export async function openLibvirtHost(): Promise<LibvirtHost> {
  const given = process.env.WARMVM_LIBVIRT_SOCKET;
  const daemon = given === undefined ? await ensureLibvirtDaemon({ runner: systemCommandRunner }) : undefined;
  const uri = `qemu:///system?socket=${given ?? daemon?.socketPath}`;
  const virsh = async (...words: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('virsh', ['-q', '-c', uri, ...words]);
    return stdout.trim();
  };
  return {
    uri,
    virsh,
    stateOf: (domain) => virsh('domstate', '--reason', domain),
    async inventory(folders = [], wanted) {
      const running = (await qemuProcesses()).map(({ pid, guest }) => `process ${pid} of ${guest}`);
      const all = [...(await listed(virsh)), ...running];
      const lines = wanted === undefined ? all.filter((line) => !MAIN_JOB.test(line)) : all;
      for (const folder of folders) if (await exists(folder)) lines.push(`folder ${folder}`);
      return lines.sort();
    },
    async [Symbol.asyncDispose]() {
      await daemon?.[Symbol.asyncDispose]();
    },
  };
}

async function listed(virsh: LibvirtHost['virsh']): Promise<string[]> {
  const names = (text: string): string[] =>
    text
      .split('\n')
      .map((name) => name.trim())
      .filter((name) => name !== '');
  const lines = names(await virsh('list', '--all', '--name')).map((name) => `domain ${name}`);
  for (const pool of names(await virsh('pool-list', '--all', '--name'))) {
    lines.push(`storage pool ${pool}`);
    // An inactive pool has nothing to list.
    const volumes = await virsh('vol-list', pool).catch(() => '');
    for (const line of names(volumes)) lines.push(`volume ${pool}/${line.split(/\s+/)[0]}`);
  }
  return lines;
}

/** A running QEMU and the name of its guest. */
export interface QemuProcess {
  readonly pid: number;
  readonly guest: string;
}

/** Every QEMU that libvirt started on this computer. */
export async function qemuProcesses(): Promise<readonly QemuProcess[]> {
  const found: QemuProcess[] = [];
  for (const { pid, words } of await processes()) {
    const guest = /(?:^|,)guest=([^,]+)/.exec(words[words.indexOf('-name') + 1] ?? '')?.[1];
    if (/\/qemu-system-\w+$/.test(words[0] ?? '') && guest !== undefined) found.push({ pid, guest });
  }
  return found;
}

/** Ends a machine's QEMU as a crash does. @throws Error when none runs */
export async function killQemu(guest: string): Promise<void> {
  const found = (await qemuProcesses()).find((process) => process.guest === guest);
  if (found === undefined) throw new Error(`no QEMU runs ${guest}`);
  process.kill(found.pid, 'SIGKILL');
}

/** Every process that has a command line, so no zombie. */
export async function processes(
  proc = '/proc',
): Promise<readonly { readonly pid: number; readonly words: readonly string[] }[]> {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
  const read = async (pid: string): Promise<{ pid: number; words: string[] }> => ({
    pid: Number(pid),
    words: (await readFile(`${proc}/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0'),
  });
  return (await Promise.all(pids.map(read))).filter(({ words }) => words[0] !== '');
}

/** A folder for one suite's storage pool: in memory where there is room. */
export async function storageFor(suite: string): Promise<{ storagePool: string; storagePath: string }> {
  const storagePool = `warmvm-e2e-${suite}`;
  const { bavail, bsize } = await statfs('/dev/shm');
  const parent = bavail * bsize > 2 ** 31 ? '/dev/shm' : '/var/lib/libvirt/images';
  return { storagePool, storagePath: `${parent}/${storagePool}` };
}

/** Whether there is a file or folder of this name. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
