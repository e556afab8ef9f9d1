import { type GoldenSnapshot, type OwnerTag, WarmvmError } from '@warmvm/core/driver';
import type { RunningCall } from './calls.ts';
import type { DriverContext } from './context.ts';
import { hostLost, machineCrashed } from './errors.ts';
import type { HostGolden, HostMachine } from './host-store.ts';
import { renewMachine, revertedWorld } from './renewing.ts';

/**
 * Makes a machine of a golden snapshot, or leaves nothing.
 * @throws WarmvmError WARMVM_GOLDEN_MISSING, WARMVM_FORK_FAILED, and what ends the call
 */
export async function forkMachine(
  context: DriverContext,
  call: RunningCall,
  snapshot: GoldenSnapshot,
  golden: HostGolden | undefined,
  owner: OwnerTag,
): Promise<HostMachine> {
  const { host, store, parts, link, capabilities } = context;
  if (golden === undefined) throw goldenMissing(snapshot);
  const id = host.nextId('machine');
  try {
    await call.pace.stage('mark', 0, call.signal);
    const { memoryBytes } = golden.image;
    const refusal = host.refuses(memoryBytes);
    if (refusal !== null) throw noRoom(host.name, refusal);
    parts.mark(store, id, owner);
    const boundTo = capabilities.survivesReconnect ? null : call.connection.key;
    const machine = store.addMachine({ id, memoryBytes, golden, boundTo });
    await call.pace.stage('clone', 0.75, call.signal);
    expect(store.machines.get(id), 'starting');
    if (golden.frozen === null || store.goldens.get(golden.id) !== golden) throw goldenMissing(snapshot);
    const kind = capabilities.forkCost === 'boot' ? 'disk' : 'memory';
    machine.world = revertedWorld(context, machine, golden, golden.frozen, kind);
    machine.digest = golden.image.digest;
    store.apply(machine, 'started', 'forked');
    await call.pace.stage('renew', 1, call.signal);
    expect(store.machines.get(id), 'running');
    renewMachine(context, machine, golden.frozen, kind);
    return machine;
  } catch (error) {
    if (!link.down) parts.discard(store, id);
    else if (store.marks.has(id)) throw hostLost(host.name, { leftBehind: [id] }, error);
    throw error;
  }
}

function expect(machine: HostMachine | undefined, state: 'starting' | 'running'): void {
  if (machine?.state === state) return;
  if (machine?.state !== 'crashed') throw new Error(`the machine is ${machine?.state ?? 'gone'} before it was ready`);
  throw new Error('the machine crashed before it was ready', { cause: machineCrashed(machine.id) });
}

function goldenMissing(snapshot: GoldenSnapshot | undefined): WarmvmError {
  const digest = snapshot?.digest ?? null;
  return new WarmvmError('WARMVM_GOLDEN_MISSING', `There is no golden snapshot ${digest} on this host: prepare it`, {
    details: { digest },
    cause: new Error('no such snapshot'),
  });
}

function noRoom(host: string, why: string): WarmvmError {
  return new WarmvmError('WARMVM_FORK_FAILED', `Host ${host} has no room for another machine: ${why}`, {
    retryable: true,
    details: { host, reason: 'capacity' },
    cause: new Error(why),
  });
}
