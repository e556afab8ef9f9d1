import { readFile } from 'node:fs/promises';
import { type Machine, WarmvmError } from '@warmvm/core';
import { qemuProcesses } from '@warmvm/local-host';

/** Process id of the QEMU that runs a machine on this computer. @throws WARMVM_MACHINE_GONE */
export async function qemuOf({ id }: Pick<Machine, 'id'>): Promise<number> {
  const found = (await qemuProcesses()).find(({ guest }) => guest === id);
  if (found !== undefined) return found.pid;
  throw new WarmvmError('WARMVM_MACHINE_GONE', `no QEMU process runs ${id}`, { details: { machine: id } });
}

/** Memory of a process in bytes, what it shares divided by those who share it. */
export async function proportionalBytes(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) * 1024;
}
