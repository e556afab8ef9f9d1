import { systemClock, WarmvmError } from '@warmvm/core';
import { qemuProcesses } from '@warmvm/local-host';

/** SIGKILL to the machine's QEMU: nobody asks the hypervisor, it has to notice. */
export async function killFromOutside(machine: string): Promise<number> {
  const found = (await qemuProcesses()).find(({ guest }) => guest === machine);
  if (found === undefined) {
    throw new WarmvmError('WARMVM_MACHINE_GONE', `no QEMU process runs ${machine}`, { details: { machine } });
  }
  const at = systemClock.now();
  process.kill(found.pid, 'SIGKILL');
  return at;
}
