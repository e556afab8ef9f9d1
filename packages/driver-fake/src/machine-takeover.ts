import { type MachineRecord, WarmvmError } from '@warmvm/core/driver';
import { ArgumentError, machineCrashed, machineGone, notSupported } from './errors.ts';
import type { HostMachine, HostStore } from './host-store.ts';

/**
 * The machine of a record that may be taken over: running, and still owned by whom the record says.
 * @throws WarmvmError when it is not
 */
export function adoptable(store: HostStore, record: MachineRecord): HostMachine {
  if (typeof record?.id !== 'string') throw new ArgumentError('record must come from list');
  if (record.kind !== 'machine') throw notSupported(`adopt of a ${record.kind}`, 'machines alone can be adopted');
  const machine = store.machines.get(record.id);
  if (machine === undefined) throw machineGone(record.id, 'the host has forgotten it');
  checkMark(store, record);
  if (machine.state === 'running' && machine.digest !== null) return machine;
  if (machine.state === 'crashed') throw machineCrashed(machine.id);
  throw new WarmvmError('WARMVM_NOT_READY', `${machine.id} cannot be adopted: it is ${machine.state}`, {
    details: { machineId: machine.id, state: machine.state },
    cause: new Error(`it is ${machine.state}`),
  });
}

/**
 * Whether there is something to remove.
 * @throws WarmvmError when what is there is not what the record names
 */
export function removable(store: HostStore, record: MachineRecord): boolean {
  const { id } = record;
  if (!store.machines.has(id) && !store.goldens.has(id) && !store.marks.has(id)) return false;
  checkMark(store, record);
  return true;
}

function checkMark(store: HostStore, { id, owner }: MachineRecord): void {
  const mark = store.marks.get(id);
  // What carries no mark of ours is not there for us, whatever it is.
  if (mark === undefined) throw machineGone(id, 'the host has nothing of ours by this name');
  if (mark.pool === owner?.pool && mark.instance === owner.instance) return;
  throw machineGone(id, 'the record is out of date: another owner has taken it over');
}
