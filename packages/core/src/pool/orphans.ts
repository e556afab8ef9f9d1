import type { MachineId } from '../driver/machine.ts';
import type { MachineRecord } from '../driver/owner.ts';
import type { PoolCore } from './pool-core.ts';
import type { PoolHost } from './pool-host.ts';
import { REMOVALS_AT_A_TIME, sweepCall } from './sweep.ts';

/** How long a look that failed keeps the next one off: a host that cannot answer in time must not be asked at every beat. */
const PAUSE_MS = 60_000;

/**
 * Removes machines of this pool that no slot holds: a destroy that was under way when the connection broke resolves and leaves its
 * machine behind, and where nothing else was on the host nobody is told of the loss. Looks only while nothing is being made
 * there, so that what is not held was held once, and is gone from the pool for good. Never rejects.
 */
export async function removeOrphans(core: PoolCore, host: PoolHost): Promise<void> {
  if (isMaking(core, host)) return;
  const { begun, driver, scope, owner } = host;
  const { name } = core.options;
  const held = heldOn(core, host);
  host.hasDestroyed = false;
  host.isLooking = true;
  const removed: MachineId[] = [];
  try {
    const records = await sweepCall(core, scope, `list pool ${name}`, (options) =>
      driver.list({ pool: name }, options),
    );
    if (host.begun !== begun) {
      host.hasDestroyed = true;
      return;
    }
    const orphans = records.filter(
      (record) => record.kind === 'machine' && record.owner.instance === owner.instance && !held.has(record.id),
    );
    const remove = async (record: MachineRecord): Promise<void> => {
      await sweepCall(core, scope, `remove machine ${record.id}`, (options) => driver.remove(record, options));
      removed.push(record.id);
    };
    for (let first = 0; first < orphans.length; first += REMOVALS_AT_A_TIME) {
      const ends = await Promise.allSettled(orphans.slice(first, first + REMOVALS_AT_A_TIME).map(remove));
      const failure = ends.find(({ status }) => status === 'rejected');
      if (failure !== undefined) throw (failure as PromiseRejectedResult).reason;
    }
  } catch (error) {
    if (scope.ended !== undefined) return;
    host.hasDestroyed = true;
    host.lookAtMs = core.now() + PAUSE_MS;
    core.hub.emit({ type: 'sweep-failed', host: host.name, error });
  } finally {
    host.isLooking = false;
  }
  if (removed.length === 0) return;
  core.hub.emit({ type: 'swept', host: host.name, removed, adopted: [], failed: [], kept: 0 });
}

function heldOn(core: PoolCore, host: PoolHost): ReadonlySet<MachineId> {
  const ids = new Set<MachineId>();
  for (const slot of core.table.slots) if (slot.host === host && slot.machine !== undefined) ids.add(slot.machine.id);
  return ids;
}

/** Whether a machine may come to the host that no slot names yet. */
function isMaking(core: PoolCore, host: PoolHost): boolean {
  for (const slot of core.table.slots) if (slot.host === host && slot.machine === undefined) return true;
  return false;
}
