import type { Clock, DriverCapabilities, MachineId, OwnerTag } from '@warmvm/core/driver';
import type { Calls } from './calls.ts';
import { ArgumentError, machineGone } from './errors.ts';
import type { Hypervisor } from './host.ts';
import type { HostMachine, HostStore } from './host-store.ts';
import type { Link } from './link.ts';
import type { FakeParts } from './parts.ts';
import type { Random } from './random.ts';

/** What the pieces of one driver share. */
export interface DriverContext {
  readonly host: Hypervisor;
  readonly store: HostStore;
  readonly clock: Clock;
  readonly calls: Calls;
  readonly link: Link;
  readonly parts: FakeParts;
  readonly capabilities: DriverCapabilities;
  readonly random: Random;
  readonly acceptUnrenewable: boolean;
}

/**
 * The machine, if it still exists and still carries this owner's mark.
 * @throws WarmvmError WARMVM_MACHINE_GONE otherwise
 */
export function ownMachine(store: HostStore, id: MachineId, owner: OwnerTag): HostMachine {
  const machine = store.machines.get(id);
  if (machine === undefined) throw machineGone(id, 'the host has forgotten it');
  if (store.marks.get(id)?.instance === owner.instance) return machine;
  throw machineGone(id, 'another owner has taken it over');
}

/** @throws ArgumentError when the tag is not one */
export function checkOwner(owner: OwnerTag | undefined): OwnerTag {
  if (typeof owner !== 'object' || owner === null) throw new ArgumentError('owner must be an owner tag');
  checkPool(owner.pool);
  if (typeof owner.instance !== 'string' || owner.instance === '') {
    throw new ArgumentError(`owner.instance must be a random id, got ${JSON.stringify(owner.instance)}`);
  }
  return owner;
}

/** @throws ArgumentError when the name cannot be a pool's */
export function checkPool(pool: unknown): void {
  if (typeof pool === 'string' && /^[\w-]{1,40}$/.test(pool)) return;
  throw new ArgumentError(
    `owner.pool must be 1 to 40 letters, digits, "-" or "_", got ${JSON.stringify(pool)?.slice(0, 80)}`,
  );
}
