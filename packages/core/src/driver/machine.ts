import type { CallOptions } from './call.ts';
import type { Guest } from './guest.ts';

/** Names a machine on its host; unique there for ever. */
export type MachineId = string;

/** What the hypervisor says. Whether the guest is *ready* is another matter: that, a probe proves. */
export type MachineState = 'starting' | 'running' | 'paused' | 'stopping' | 'stopped' | 'crashed' | 'unknown';

/** A state that a machine has come to. */
export interface MachineChange {
  readonly state: MachineState;
  /** The hypervisor's own word for it, for people. */
  readonly reason: string;
  /** Generation the state belongs to; a change of an earlier generation says nothing about the present one. */
  readonly generation: number;
}

/** A port of the host that leads to one of a guest. */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp';
  /** IPv4 address that the host listens at. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

/** One VM forked from a golden snapshot. Dispose destroys it: idempotent, and safe after the host is lost. */
export interface Machine extends AsyncDisposable {
  readonly id: MachineId;
  /** Starts at 1 with the fork; each reset that was begun adds 1, also when it fails. */
  readonly generation: number;
  /**
   * The guest of the present generation: ask anew after a reset, which may have replaced it. Calls that a reset interrupts reject
   * with `WARMVM_MACHINE_GONE` and reach nothing of the next generation.
   */
  readonly guest: Guest;
  /** Ports of the host that lead to the guest of the present generation: others after a reset. @default none */
  readonly forwards?: readonly PortForward[];
  /** @throws WARMVM_MACHINE_GONE after dispose or when the host has forgotten it */
  state(options?: CallOptions): Promise<MachineState>;
  /**
   * Begins with the present state; then every change. Ends on dispose, at once when that was before. Several may watch at
   * once; a slow watcher gets the newest change and may miss ones between.
   * @throws WARMVM_HOST_LOST from the iterator when the host is lost
   */
  watch(options?: CallOptions): AsyncIterable<MachineChange>;
  /**
   * Resolved: indistinguishable from a fresh fork, renewed (identity, entropy, clock) and proved so. Rejected with
   * `WARMVM_RESET_FAILED`: the machine is good for nothing but dispose. Aborted: another reset mends it. Never overlaps with itself
   * or with dispose: a second call waits; dispose cancels it, and it rejects with `WARMVM_MACHINE_GONE`.
   */
  reset(options?: CallOptions): Promise<void>;
}
