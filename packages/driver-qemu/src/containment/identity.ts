import type { NetworkPlan } from '../command-line/network-plan.ts';
import { type TapRights, tapRights } from '../network/tap-rights.ts';
import { type FoundContainment, userOf } from './find-containment.ts';
import type { Containment } from './launch.ts';

/** What one QEMU is contained with. */
export interface Identity {
  readonly containment: Containment;
  /** When its process is gone. */
  giveBack(): void;
}

/** A user of its own for one QEMU, where the host has one. A tap opens for its owner and its group alone, so QEMU runs as those. */
export async function identityFor(network: NetworkPlan, found: FoundContainment): Promise<Identity> {
  const { userIds, deviceGroups } = found;
  if (userIds === undefined) return { containment: found, giveBack: () => {} };
  const tap: TapRights = network.kind === 'tap' ? await tapRights(network.name) : {};
  const groups = tap.gid === undefined ? [] : [tap.gid];
  const as = (uid: number): Containment => ({ ...found, user: userOf(uid, { device: deviceGroups, always: groups }) });
  if (tap.uid !== undefined) return { containment: as(tap.uid), giveBack: () => {} };
  const { uid, giveBack } = await userIds.take();
  return { containment: as(uid), giveBack };
}
