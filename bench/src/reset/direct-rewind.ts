import { WarmvmError } from '@warmvm/core';
import {
  type Client,
  type DomainRef,
  DomainSnapshotRevertFlags,
  DomainState,
  QemuMonitorCommandFlags,
  type SnapshotRef,
} from '@warmvm/libvirt';

/** The two ways back to a snapshot, as bare calls to libvirt: what they take until the hypervisor says running. */
export class DirectRewind {
  readonly #client: Client;
  readonly #dom: DomainRef;
  readonly #snap: SnapshotRef;

  private constructor(client: Client, dom: DomainRef, snap: SnapshotRef) {
    this.#client = client;
    this.#dom = dom;
    this.#snap = snap;
  }

  /** @throws WARMVM_GOLDEN_MISSING when the machine does not have exactly one snapshot */
  static async of(client: Client, machine: string, signal: AbortSignal): Promise<DirectRewind> {
    const { dom } = await client.call('domainLookupByName', { name: machine }, { signal });
    const args = { dom, needResults: 1, flags: 0 };
    const { snapshots } = await client.call('domainListAllSnapshots', args, { signal });
    const [snap, ...others] = snapshots;
    if (snap !== undefined && others.length === 0) return new DirectRewind(client, dom, snap);
    throw new WarmvmError('WARMVM_GOLDEN_MISSING', `${machine} has ${snapshots.length} snapshots, expected one`);
  }

  /** Loads the snapshot into the QEMU that runs. */
  async inPlace(signal: AbortSignal): Promise<void> {
    for (const cmd of ['stop', `loadvm ${this.#snap.name}`, 'cont']) {
      const args = { dom: this.#dom, cmd, flags: QemuMonitorCommandFlags.HMP };
      const { result } = await this.#client.call('domainMonitorCommand', args, { signal });
      if (result.trim() !== '') throw new WarmvmError('WARMVM_HOST_OPERATION', `QEMU refused '${cmd}': ${result}`);
    }
  }

  /** libvirt's own way: a new QEMU. */
  async revert(signal: AbortSignal): Promise<void> {
    const args = { snap: this.#snap, flags: DomainSnapshotRevertFlags.RUNNING };
    await this.#client.call('domainRevertToSnapshot', args, { signal });
  }

  /** @throws WARMVM_RESET_FAILED when the hypervisor says anything but running */
  async requireRunning(signal: AbortSignal): Promise<void> {
    const { state } = await this.#client.call('domainGetState', { dom: this.#dom, flags: 0 }, { signal });
    if (state === DomainState.RUNNING) return;
    throw new WarmvmError('WARMVM_RESET_FAILED', `${this.#dom.name} is in state ${state} after a rewind`);
  }
}
