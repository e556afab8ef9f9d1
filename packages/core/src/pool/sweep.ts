import { guardedCall } from '../call/guarded-call.ts';
import type { CallOptions } from '../driver/call.ts';
import { WarmvmError } from '../driver/error.ts';
import type { MachineId } from '../driver/machine.ts';
import type { MachineRecord, OwnerTag } from '../driver/owner.ts';
import { judgeOwner } from '../owner/owner-process.ts';
import type { PoolCore } from './pool-core.ts';
import { adoptTimeoutError } from './pool-errors.ts';
import type { PoolHost } from './pool-host.ts';
import type { SlotAdopter } from './slot-adopter.ts';

/** Removals at a time: enough to be quick, few enough not to burden the host that the pool is about to fill. */
const REMOVALS_AT_A_TIME = 4;

/**
 * Adopts or removes what dead processes of this pool's name left on the host. What a live process owns, or one that cannot be
 * judged, is not touched. Never rejects: a sweep that fails is told as an event, and the pool starts all the same.
 */
export async function sweep(
  core: PoolCore,
  kind: MachineRecord['kind'],
  host: PoolHost,
  adopter: SlotAdopter,
): Promise<void> {
  const { driver, name } = core.options;
  const isNeeding = (record: MachineRecord): boolean => adopter.hasAdopted(record.id) || isAnothers(record, host.owner);
  try {
    const records = await call(core, `list pool ${name}`, (options) => driver.list({ pool: name }, options));
    const ofKind = records.filter((record) => record.kind === kind && record.owner.pool === name);
    // Machines of another process, and adopted ones, may rest on a golden snapshot whose maker is dead.
    const needed = new Set(records.filter(isNeeding).map((record) => record.digest));
    const dead = ofKind.filter((record) => isDead(record) && !(record.kind === 'golden' && needed.has(record.digest)));
    const removed: MachineId[] = [];
    const adopted: MachineId[] = [];
    const failed: { id: MachineId; error: unknown }[] = [];
    const putAway = async (record: MachineRecord): Promise<void> => {
      try {
        const outcome = kind === 'machine' && adopter.wants(record) ? await adopter.adopt(host, record) : 'refused';
        if (outcome === 'given up') failed.push({ id: record.id, error: adoptTimeoutError(record) });
        else if (outcome === 'adopted') adopted.push(record.id);
        if (outcome !== 'refused') return;
        await call(core, `remove ${record.kind} ${record.id}`, (options) => driver.remove(record, options));
        removed.push(record.id);
      } catch (error) {
        failed.push({ id: record.id, error });
      }
    };
    for (let first = 0; first < dead.length && !core.closing; first += REMOVALS_AT_A_TIME) {
      await Promise.all(dead.slice(first, first + REMOVALS_AT_A_TIME).map(putAway));
    }
    core.hub.emit({ type: 'swept', removed, adopted, failed, kept: ofKind.length - dead.length });
  } catch (error) {
    if (!core.closing) core.hub.emit({ type: 'sweep-failed', error });
  }
}

function isDead(record: MachineRecord): boolean {
  return judgeOwner(record.owner.process) === 'dead';
}

function isAnothers(record: MachineRecord, self: OwnerTag): boolean {
  return record.kind === 'machine' && record.owner.instance !== self.instance && !isDead(record);
}

function call<Value>(core: PoolCore, what: string, run: (options: CallOptions) => PromiseLike<Value>): Promise<Value> {
  const timeoutMs = core.options.timeouts.destroyTimeoutMs;
  return guardedCall(run, {
    deadlines: core.deadlines,
    nowMs: core.now(),
    timeoutMs,
    timeoutError: () => new WarmvmError('WARMVM_HOST_OPERATION', `${what}: not done after ${timeoutMs} ms`),
    scope: core.scope,
  });
}
