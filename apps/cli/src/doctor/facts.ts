import type { Safeguard } from '@warmvm/core';

/** What is known of this computer; read by `readFacts`, written by hand in tests. */
export interface ComputerFacts {
  readonly platform: string;
  readonly architecture: string;
  readonly nodeVersion: string;
  readonly user: { readonly name: string; readonly isRoot: boolean; readonly groups: readonly string[] };
  /** Whether packages can be installed with apt-get. */
  readonly isDebianLike: boolean;
  /** Whether systemd runs the services here. */
  readonly hasSystemd: boolean;
  readonly kvm: {
    readonly device: 'absent' | 'denied' | 'opens';
    /** Group that owns the device; null when unknown. */
    readonly group: string | null;
    /** Whether that group may read and write it. */
    readonly groupMayUse: boolean;
    /** Flag of the CPU that says it can; null where there is none, which on arm64 says nothing. */
    readonly cpuFlag: 'vmx' | 'svm' | null;
  };
  /** First line of `qemu-system-* --version`; null when there is none. */
  readonly qemu: string | null;
  readonly libvirt: {
    readonly isInstalled: boolean;
    readonly socket: 'answers' | 'denied' | 'silent' | 'absent';
    /** Whether the daemon's parent takes ended guests at once; null when it does not run, or nobody can tell. */
    readonly parent: string | null;
    readonly hasTini: boolean;
  };
  /** Whether this process may make cgroups below its own; null where there is no cgroup v2. */
  readonly cgroupDelegated: boolean | null;
  readonly folders: readonly FolderFacts[];
  readonly memoryAvailableBytes: number;
  readonly ssh: { readonly hasConfig: boolean; readonly agent: 'answers' | 'silent' | 'none' };
  /** What is wrong with the configuration, or with the options of a driver in it; null where nothing is. */
  readonly configurationMistake: string | null;
  /** The hosts that were asked. */
  readonly hosts: readonly HostState[];
  /** What dead owners left, by host; a driver that could not be asked is absent. */
  readonly leftovers: Readonly<Record<string, number>>;
  /** What confines the machines of a driver, by driver; absent where it could not be asked or cannot tell. */
  readonly containment: Readonly<Record<string, readonly Safeguard[]>>;
}

/** How a host answered. */
export interface HostState {
  readonly name: string;
  /** Whether somebody chose it; else it was found on this computer. */
  readonly isConfigured: boolean;
  /** Why it cannot be used; null where it answers. */
  readonly problem: string | null;
  /** What to do about that, where the error knows. */
  readonly remedy: string | null;
}

/** A folder that the program keeps something in. */
export interface FolderFacts {
  readonly what: string;
  readonly path: string;
  /** Permissions; null when it does not exist yet. */
  readonly mode: number | null;
  /** Room on its file system. */
  readonly freeBytes: number;
}
