import type { CallScope } from '../call/call-scope.ts';
import { guardedCall } from '../call/guarded-call.ts';
import type { CallOptions } from '../driver/call.ts';
import { WarmvmError } from '../driver/error.ts';
import type { MachineId } from '../driver/machine.ts';
import type { MachineRecord } from '../driver/owner.ts';
import { judgeOwner } from '../owner/owner-process.ts';
import type { PoolCore } from './pool-core.ts';
import { adoptTimeoutError } from './pool-errors.ts';
import { type PoolHost, tellsLoss } from './pool-host.ts';
import type { SlotAdopter } from './slot-adopter.ts';

/** Removals at a time: enough to be quick, few enough not to burden the host that the pool is about to fill. */
export const REMOVALS_AT_A_TIME = 4;

/**
 * Adopts or removes what nobody has a hold on any more: what dead processes of this pool's name left on the host, and what this
 * pool had there before it lost the host. What a live process owns, or one that cannot be judged, is not touched. Never
 * rejects: a sweep that fails is told as an event, and the pool starts all the same.
 */
export async function sweep(
  core: PoolCore,
  kind: MachineRecord['kind'],
  host: PoolHost,
  adopter: SlotAdopter,
): Promise<void> {
  const { name } = core.options;
  const { driver, scope } = host;
  const { epoch } = host.health;
  const isDead = (record: MachineRecord): boolean => core.options.sweep && judgeOwner(record.owner.process) === 'dead';
  const isLeft = (record: MachineRecord): boolean =>
    isDead(record) || (kind === 'machine' && host.isLeftover(record.owner));
  // Machines of another process, and adopted ones, may rest on a golden snapshot whose maker is dead.
  const isNeeding = (record: MachineRecord): boolean =>
    host.adopted.has(record.id) ||
    (record.kind === 'machine' && record.owner.instance !== host.owner.instance && !isDead(record));
  try {
    const records = await sweepCall(core, scope, `list pool ${name}`, (options) =>
      driver.list({ pool: name }, options),
    );
    const ofKind = records.filter((record) => record.kind === kind && record.owner.pool === name);
    const needed = new Set(records.filter(isNeeding).map((record) => record.digest));
    const left = ofKind.filter((record) => isLeft(record) && !(record.kind === 'golden' && needed.has(record.digest)));
    const removed: MachineId[] = [];
    const adopted: MachineId[] = [];
    const failed: { id: MachineId; error: unknown }[] = [];
    const putAway = async (record: MachineRecord): Promise<void> => {
      try {
        const outcome =
          kind === 'machine' && adopter.wants(host, record) ? await adopter.adopt(host, record) : 'refused';
        if (outcome === 'given up') failed.push({ id: record.id, error: adoptTimeoutError(record) });
        else if (outcome === 'adopted') adopted.push(record.id);
        if (outcome !== 'refused') return;
        await sweepCall(core, scope, `remove ${record.kind} ${record.id}`, (options) => driver.remove(record, options));
        removed.push(record.id);
      } catch (error) {
        failed.push({ id: record.id, error });
      }
    };
    for (let first = 0; first < left.length && scope.ended === undefined; first += REMOVALS_AT_A_TIME) {
      await Promise.all(left.slice(first, first + REMOVALS_AT_A_TIME).map(putAway));
    }
    core.hub.emit({ type: 'swept', host: host.name, removed, adopted, failed, kept: ofKind.length - left.length });
  } catch (error) {
    if (core.closing) return;
    core.hub.emit({ type: 'sweep-failed', host: host.name, error });
    if (tellsLoss(host, error)) core.hostLost(host, error, epoch);
  }
}

/** A call of a driver that no machine waits for. */
export function sweepCall<Value>(
  core: PoolCore,
  scope: CallScope,
  what: string,
  run: (options: CallOptions) => PromiseLike<Value>,
): Promise<Value> {
  const timeoutMs = core.options.timeouts.destroyTimeoutMs;
  return guardedCall(run, {
    deadlines: core.deadlines,
    nowMs: core.now(),
    timeoutMs,
    timeoutError: () => new WarmvmError('WARMVM_HOST_OPERATION', `${what}: not done after ${timeoutMs} ms`),
    scope,
  });
}
