import type { NetworkPlan } from './network-plan.ts';

/** What a QEMU process is to be. Plain data: {@link qemuArguments} turns it into a command line, {@link compatibilityKey} into a key. */
export interface MachinePlan {
  /** Told by `-name`: stands in the process's command line, where the sweep looks for it. Letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  readonly architecture: 'x86_64' | 'aarch64';
  readonly acceleration: 'kvm' | 'hvf' | 'tcg';
  /** `pc`, `q35`, `virt` or a versioned form of them. See {@link defaultMachineType}. */
  readonly machineType: string;
  /** `host`, `max` or a model QEMU knows. See {@link defaultCpuModel}. */
  readonly cpuModel: string;
  readonly virtualCpus: number;
  readonly memory: MemoryPlan;
  readonly boot: BootPlan;
  /** In the order that the guest sees them: the first is `vda`. */
  readonly disks: readonly DiskPlan[];
  /** The monitor. */
  readonly qmp: ChannelPlan;
  /** Socket that QEMU must reach before it does anything else: the process that started it listens there. @default nowhere */
  readonly starter?: ChannelPlan;
  /** A second monitor, for whoever takes the machine over from a living owner. @default none */
  readonly heir?: ChannelPlan;
  /** The guest agent's port. */
  readonly agent: ChannelPlan;
  readonly console: ConsolePlan;
  readonly network: NetworkPlan;
  /** UUID of the VM generation id device, new for each generation; absent: no such device. Only x86_64 has it. */
  readonly generationId?: string;
  /** Waits for a device state (`-incoming defer`) instead of starting. */
  readonly incoming: boolean;
  /** QEMU's seccomp filter; false only where QEMU was built without it. */
  readonly sandbox: boolean;
}

export interface MemoryPlan {
  readonly bytes: number;
  /**
   * File that holds the guest's memory. Absent: anonymous memory. A template writes to it (`share`), its forks map it privately,
   * which costs memory only for what they change.
   */
  readonly file?: {
    readonly path: string;
    readonly share: boolean;
    /** Open it for reading only, though the guest may write to its private copy. QEMU 8.2 and newer; older ones need to open it for writing. */
    readonly readOnly?: boolean;
  };
}

/** How the guest starts. What a device state is loaded into needs the same. */
export type BootPlan =
  | { readonly kind: 'kernel'; readonly kernelPath: string; readonly initrdPath: string; readonly commandLine: string }
  /** From the first disk, by the machine's own BIOS (x86_64) or by a firmware image (aarch64). */
  | { readonly kind: 'disk'; readonly firmwarePath?: string }
  /**
   * Not at all: what is loaded (`incoming`) has started long ago. Spares each fork the kernel and the initrd, which QEMU reads and
   * keeps in memory.
   */
  | { readonly kind: 'state' };

export interface DiskPlan extends DiskFilePlan {
  /** @default false */
  readonly readOnly?: boolean;
  /**
   * Bound for the file: writes that would make it longer fail in the guest. The file must have this length already (sparse).
   * @default none
   */
  readonly fileBytes?: number;
}

/** One file of a disk and those below it. */
export interface DiskFilePlan {
  /** A file, or `/dev/fdset/` and the number of a descriptor that QEMU inherits. */
  readonly path: string;
  readonly format: 'qcow2' | 'raw';
  /** What the qcow2 lies over, so that QEMU need not trust the file's own word. @default as the file says */
  readonly backing?: DiskFilePlan;
}

/** A byte stream between QEMU and us. */
export type ChannelPlan =
  /** QEMU makes a socket of this name and waits for nobody. */
  | { readonly kind: 'listen'; readonly path: string }
  /** QEMU connects to a socket that somebody listens at: an absolute path, or a name in the folder that QEMU runs in. */
  | { readonly kind: 'connect'; readonly path: string }
  /** An open socket that QEMU inherits, by its number in QEMU. One that `listens` is waited at by nobody. */
  | { readonly kind: 'inherited'; readonly descriptor: number; readonly listens?: boolean };

/** What the guest writes to its serial port. The device is always there, so that guests need not know. */
export type ConsolePlan =
  /** Thrown away. */
  | { readonly kind: 'none' }
  /** QEMU keeps the newest bytes, for QMP's `ringbuf-read` of `console`. A power of 2. */
  | { readonly kind: 'ring'; readonly bytes: number }
  /** To a pipe or socket that QEMU inherits. The reader has to bound what it keeps. */
  | { readonly kind: 'inherited'; readonly descriptor: number };

/** `pc` boots fastest of what works with a bzImage; `virt` is all that arm64 has. */
export function defaultMachineType(architecture: MachinePlan['architecture']): string {
  return architecture === 'x86_64' ? 'pc' : 'virt';
}

/** The host's own processor where it runs the guest's code itself, else all that QEMU can emulate. */
export function defaultCpuModel(acceleration: MachinePlan['acceleration']): string {
  return acceleration === 'tcg' ? 'max' : 'host';
}

/** Name of the program for an architecture. */
export function qemuProgram(architecture: MachinePlan['architecture']): string {
  return `qemu-system-${architecture}`;
}
