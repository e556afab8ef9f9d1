import { readdir, readFile } from 'node:fs/promises';
import { type Machine, WarmvmError } from '@warmvm/core';

/** Process id of the QEMU that runs a machine, which has the machine's id on its command line. @throws WARMVM_MACHINE_GONE */
export async function qemuOf({ id }: Pick<Machine, 'id'>): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const commandLine = await readFile(`/proc/${entry}/cmdline`, 'latin1').catch(() => '');
    if (/\/?qemu-system-\w+\0/.test(commandLine) && commandLine.includes(id)) return Number(entry);
  }
  throw new WarmvmError('WARMVM_MACHINE_GONE', `no QEMU process runs ${id}`, { details: { machine: id } });
}

/** Memory of a process in bytes, what it shares divided by those who share it. */
export async function proportionalBytes(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) * 1024;
}
