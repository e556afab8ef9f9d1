import type { CallOptions } from './call.ts';
import type { GoldenImage, GoldenSnapshot } from './image.ts';
import type { Machine } from './machine.ts';
import type { MachineRecord, OwnerTag } from './owner.ts';

/** Fixed facts about what a driver can do; never changes after construction. */
export interface DriverCapabilities {
  /** What `reset` brings back: memory and disk, disk only (the guest boots anew), or nothing (`reset` rejects NOT_SUPPORTED). */
  readonly reset: 'memory' | 'disk' | 'none';
  /** Changes are pushed by the hypervisor, rather than polled by the driver. */
  readonly stateEvents: boolean;
  readonly guestAgent: boolean;
  readonly forkCost: 'constant' | 'grows-with-memory' | 'boot';
  /** Forks the driver is good for at a time; the pool holds itself to it. */
  readonly concurrentForks: number;
  /** Machines go on living when the connection to the host breaks. */
  readonly survivesReconnect: boolean;
  /** Footprints that the driver keeps on its host besides machines, for each golden snapshot: pools take them off their `max`. @default 0 */
  readonly standby?: number;
}

export interface ForkOptions extends CallOptions {
  readonly owner: OwnerTag;
}

export interface PrepareOptions extends CallOptions {
  readonly owner: OwnerTag;
  /** Told what is going on; steps are for people, in order, and may repeat. */
  readonly onProgress?: (progress: PrepareProgress) => void;
}

export interface PrepareProgress {
  readonly step: 'reuse' | 'upload' | 'boot' | 'agent' | 'warm-up' | 'quiesce' | 'snapshot';
  /** 0 to 1 where the step knows. */
  readonly fraction?: number;
  /** What whoever runs this should know and mend, a sentence each: such as a safeguard that the host cannot give. Nothing fails for it. */
  readonly notices?: readonly string[];
}

/** One of the things that keep a machine in its place on its host. */
export interface Safeguard {
  /** What it is about, for people: `system calls`. */
  readonly name: string;
  readonly active: boolean;
  /** What it does when active, else what is not kept and why; a sentence without a full stop. */
  readonly detail: string;
  /** How to get it; there whenever it is not active. */
  readonly remedy?: string;
}

/** What a host says of itself. */
export interface HostReport {
  /** Name of the host for people and logs; no user, no password. */
  readonly host: string;
  /** Hypervisor and version, such as `QEMU 7.2.22, libvirt 9.0.0`. */
  readonly hypervisor: string;
  readonly acceleration: 'kvm' | 'hvf' | 'tcg' | 'none';
  /** Why this acceleration and no other. */
  readonly accelerationReason: string;
  readonly memoryBytes: number;
  readonly virtualCpus: number;
  /** What confines machines there, found out by trying, whether or not it is active; absent where the driver cannot tell. */
  readonly containment?: readonly Safeguard[];
}

/**
 * Serves one host. Call order: anything may come first; `prepare` before `fork` of its snapshot. All calls may overlap.
 * A rejected call has left nothing on the host, or says in `details.leftBehind` what it left. After the host is lost
 * every call rejects with `WARMVM_HOST_LOST` and dispose still resolves; a call of the driver that meanwhile tries to connect anew
 * may reject with `WARMVM_HOST_UNREACHABLE`. Option errors are synchronous `TypeError`/`RangeError` from the factory. Dispose
 * destroys every machine and golden snapshot that this instance made; calls after it reject with `WARMVM_HOST_LOST`. Every sentence
 * has a number and a test: see `docs/driver-contract.md`.
 */
export interface Driver extends AsyncDisposable {
  readonly specificationVersion: 1;
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  /**
   * Boots the image once, waits until the guest is ready, warms it up, quiesces it, and freezes it. Idempotent per
   * digest: many callers join one job, and it is given up only when the last of them has left.
   * @throws WARMVM_GOLDEN_INVALID when the guest never becomes ready or cannot be quiesced, or has no way to prove a renewal
   */
  prepare(image: GoldenImage, options: PrepareOptions): Promise<GoldenSnapshot>;
  /**
   * A new machine, generation 1, running, renewed and proved so. A snapshot that is gone rejects with
   * `WARMVM_GOLDEN_MISSING`; anything else that goes wrong with `WARMVM_FORK_FAILED`.
   */
  fork(golden: GoldenSnapshot, options: ForkOptions): Promise<Machine>;
  /** Everything on the host that carries the mark of the pool named in `owner`, of this and of other processes. */
  list(owner: Pick<OwnerTag, 'pool'>, options?: CallOptions): Promise<readonly MachineRecord[]>;
  /**
   * Everything on the host that carries a mark of this driver's kind, whatever its pool. Absent where a driver cannot tell. Like
   * `list`, it changes nothing.
   */
  listAll?(options?: CallOptions): Promise<readonly MachineRecord[]>;
  /**
   * Takes over a running machine; it keeps its generation and is owned by `owner` from now on. It must be reset before use.
   * @throws WARMVM_MACHINE_GONE when the machine is gone or no longer owned by whom the record names; WARMVM_MACHINE_CRASHED or
   * WARMVM_NOT_READY when it does not run; WARMVM_NOT_SUPPORTED for a golden snapshot
   */
  adopt(record: MachineRecord, options: ForkOptions): Promise<Machine>;
  /**
   * Destroys what the record names, with all that belongs to it. Absent is success. What is no longer owned by whom the record names
   * is not touched; whether that resolves or rejects with `WARMVM_MACHINE_GONE` is left to the driver.
   */
  remove(record: MachineRecord, options?: CallOptions): Promise<void>;
  /** @throws WARMVM_HOST_UNREACHABLE, WARMVM_HOST_LOST, WARMVM_HOST_DENIED */
  ping(options?: CallOptions): Promise<HostReport>;
}
