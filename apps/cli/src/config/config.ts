/** One host that machines are to live on. */
export interface DriverChoice {
  /** `fake`, `qemu`, `libvirt`, `libvirt-ssh`, or a package or file that exports `createDriver`. */
  readonly use: string;
  /** Options of the driver, as its README says. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** Machines on this host at most. @default the max of the pool */
  readonly max?: number | undefined;
}

/** What machines of an image get. */
export interface GuestChoice {
  readonly memoryBytes?: number | undefined;
  readonly virtualCpus?: number | undefined;
  /** @default 'none' */
  readonly network?: 'none' | 'user' | undefined;
}

/** The tiny image, with other resources than its own. */
export interface TinyChoice extends GuestChoice {
  readonly tiny: true;
}

/** A disk image of the user's. */
export interface DiskChoice extends GuestChoice {
  /** Path of a qcow2, relative to the configuration file. */
  readonly disk: string;
  /** Path of the renewal program in the guest. */
  readonly renewal?: string | undefined;
}

/** A kernel of the user's. */
export interface KernelChoice extends GuestChoice {
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine?: string | undefined;
  readonly renewal?: string | undefined;
}

/**
 * What machines are made from: `tiny`, a name that `warmvm image` gave, the path of a disk image (with a slash, relative to the
 * configuration file), or a description.
 */
export type ImageChoice = string | TinyChoice | DiskChoice | KernelChoice;

/** How the pool behaves; as the options of `createPool`, where all are explained. */
export interface PoolChoice {
  readonly name?: string | undefined;
  readonly minReady?: number | undefined;
  readonly max?: number | undefined;
  readonly maxAgeMs?: number | undefined;
  readonly maxTurns?: number | undefined;
  readonly maxIdleMs?: number | undefined;
  readonly leaseMs?: number | undefined;
  readonly acquireTimeoutMs?: number | undefined;
  readonly maxWaiting?: number | undefined;
  readonly creationsPerSecond?: number | undefined;
  readonly checkIdleEveryMs?: number | undefined;
  readonly resetConcurrency?: number | undefined;
  readonly forkConcurrency?: number | undefined;
  readonly reset?: 'auto' | 'never' | undefined;
  readonly adopt?: 'remove' | 'reset' | undefined;
}

/** What a configuration file holds. */
export interface WarmvmConfig {
  readonly $schema?: string | undefined;
  /** @default qemu where it is installed, else libvirt where its daemon answers */
  readonly driver?: string | DriverChoice | undefined;
  /** Several hosts in one pool, instead of `driver`. */
  readonly drivers?: readonly (string | DriverChoice)[] | undefined;
  /** @default 'tiny' */
  readonly image?: ImageChoice | undefined;
  readonly pool?: PoolChoice | undefined;
}

/** Gives types to a configuration in a TypeScript or JavaScript file. Changes nothing. */
export function defineConfig(config: WarmvmConfig): WarmvmConfig {
  return config;
}
