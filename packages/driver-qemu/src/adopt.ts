import { type ForkOptions, type MachineRecord, WarmvmError } from '@warmvm/core/driver';
import { goneError } from './driver-errors.ts';
import { adoptedTemplate } from './golden/goldens.ts';
import { isSameOwner } from './home/state-folder.ts';
import { QemuMachine } from './machine.ts';
import { Supply } from './supply.ts';
import type { Workshop } from './workshop.ts';

/** How a machine is adopted. */
export interface AdoptOptions extends ForkOptions {
  readonly signal: AbortSignal;
  readonly onDispose: (machine: QemuMachine) => void;
}

/**
 * Takes over a machine that runs. Its mark gets the new owner before anything else happens, and the old one back when a later step fails:
 * both only if the mark still is what was read.
 * @throws as `Driver.adopt` says
 */
export async function adoptMachine(
  workshop: Workshop,
  record: MachineRecord,
  { owner, signal, onDispose }: AdoptOptions,
): Promise<QemuMachine> {
  const { state } = workshop;
  const mark = await state.read(record.id);
  if (mark === undefined || !isSameOwner(mark.owner, record.owner)) throw goneError(record);
  const { id, process, golden, generation } = mark;
  if (mark.kind !== 'machine') {
    throw new WarmvmError('WARMVM_NOT_SUPPORTED', `${id} is a golden snapshot; only machines are adopted`);
  }
  const found = state.recordOf(mark)?.state;
  if (found !== 'running' || process === null || golden === null) {
    throw new WarmvmError('WARMVM_NOT_READY', `machine ${id} cannot be adopted: it is ${found}`, {
      details: { machine: id, state: found, expected: 'running' },
    });
  }
  const template = await adoptedTemplate(workshop, golden, signal);
  if (template === undefined) {
    throw new WarmvmError('WARMVM_NOT_READY', `machine ${id} cannot be adopted: its golden snapshot is gone`, {
      details: { machine: id, golden },
    });
  }
  const home = { ...state.homeOf(mark), owner };
  await state.update(state.homeOf(mark), { owner });
  try {
    const supply = new Supply({ workshop, template, golden });
    return await QemuMachine.adopt({ workshop, supply, home, generation, process, onDispose }, signal);
  } catch (error) {
    // It goes back to its owner, so that a sweep of that owner finds it. A mark that is no longer ours stays as it is.
    await state.update(home, { owner: mark.owner }).catch(() => {});
    throw error;
  }
}
