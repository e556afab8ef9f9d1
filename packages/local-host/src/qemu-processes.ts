import { readdir, readFile, readlink } from 'node:fs/promises';

/** A running QEMU and the guest it runs, as libvirt names it. */
export interface QemuProcess {
  readonly pid: number;
  readonly guest: string;
  /** Its words, each ended by NUL. */
  readonly commandLine: string;
  /** The folder that it runs in; empty where this process may not know. */
  readonly folder: string;
}

/** Finds running QEMU processes, by the guest name on their command lines. */
export async function qemuProcesses(): Promise<readonly QemuProcess[]> {
  const found: QemuProcess[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const commandLine = await readFile(`/proc/${entry}/cmdline`, 'latin1').catch(() => '');
    const [program = '', ...args] = commandLine.split('\0');
    if (!/(?:^|\/)qemu-system-\w+$/.test(program)) continue;
    const guest = /(?:^|,)guest=([^,]+)/.exec(args[args.indexOf('-name') + 1] ?? '')?.[1];
    if (guest === undefined) continue;
    const folder = await readlink(`/proc/${entry}/cwd`).catch(() => '');
    found.push({ pid: Number(entry), guest, commandLine, folder });
  }
  return found;
}
