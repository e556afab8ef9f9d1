import { removeGolden } from './golden/goldens.ts';
import type { Mark } from './home/mark.ts';
import { killMachineProcesses } from './state-directory/machine-processes.ts';
import type { Workshop } from './workshop.ts';

/** Destroys what a mark stands for, whoever made it: its process, its cgroups, its files, and last the mark. Absent is success. */
export async function demolish(workshop: Workshop, mark: Mark): Promise<void> {
  const { state, options } = workshop;
  const name = mark.process?.name ?? mark.id;
  const recorded = mark.process === null ? {} : { recorded: mark.process };
  await killMachineProcesses({ id: name, folder: state.homeOf(mark).directory }, { clock: options.clock, ...recorded });
  await workshop.removeCgroups(name);
  if (mark.kind !== 'golden') return state.remove(state.homeOf(mark));
  await endStandbys(workshop, mark);
  await removeGolden(workshop, state.homeOf(mark), mark.golden);
}

/** What waits for a golden snapshot goes with its record. */
async function endStandbys(workshop: Workshop, { owner, golden }: Mark): Promise<void> {
  for (const mark of await workshop.state.list()) {
    const waits = mark.kind === 'standby' && mark.golden === golden && mark.owner.instance === owner.instance;
    if (waits) await demolish(workshop, mark);
  }
}
