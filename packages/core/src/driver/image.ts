/** A file that is part of a golden image, addressed by its content. */
export interface FileReference {
  /** Absolute path on the machine that runs this process. */
  readonly path: string;
  /** `sha256:` and 64 hexadecimal digits of the content. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Boots a kernel directly; the machine gets one blank writable disk. */
export interface KernelBoot {
  readonly kind: 'kernel';
  readonly kernel: FileReference;
  readonly initrd: FileReference;
  /** Kernel command line, without a console for interactive use. */
  readonly commandLine: string;
  /** Size of the blank writable disk. */
  readonly diskBytes: number;
}

/** Boots from a disk image. */
export interface DiskBoot {
  readonly kind: 'disk';
  readonly disk: FileReference;
  readonly format: 'qcow2' | 'raw';
  /** Virtual size the guest sees. */
  readonly diskBytes: number;
  /**
   * A raw image that the guest gets as a second, read-only disk, such as a seed for cloud-init. A driver that cannot give it refuses
   * the image with `WARMVM_NOT_SUPPORTED`. @default none
   */
  readonly seed?: FileReference;
}

/** How a guest is told that it is a new generation. See {@link GoldenImage.renewal}. */
export interface Renewal {
  /**
   * Absolute path of a program in the guest, run as root after every fork and reset as
   * `command generationId hostname machineId`, with 64 random bytes on standard input. It reseeds the kernel's random
   * number generator, takes on the identity, and prints the line
   * `warmvm-renewed <generationId> <memoryGeneration> <diskGeneration>` where the last two are the generation ids that
   * it found in memory and on disk (`-` where none was) before it wrote the new one to both. Any other output means: not renewed.
   */
  readonly command: string;
}

/** What the user supplies: everything a machine is made from. Immutable; two images of one digest are the same. */
export interface GoldenImage {
  /** For people; not part of the digest. Letters, digits, `-`, `_` and `.`; at most 64. */
  readonly name: string;
  /** `sha256:` and 64 hexadecimal digits over everything below. See `imageDigest` in `@warmvm/guest-image`. */
  readonly digest: string;
  readonly architecture: 'x86_64' | 'aarch64';
  readonly boot: KernelBoot | DiskBoot;
  readonly memoryBytes: number;
  readonly virtualCpus: number;
  /** Guests have no network unless the image asks for one. */
  readonly network: 'none' | 'user';
  /** Absent: the guest has no way to prove a new generation, and drivers refuse the image unless told otherwise. */
  readonly renewal?: Renewal;
}

/** Frozen point made once per host from a golden image, taken when the guest is ready. Immutable. */
export interface GoldenSnapshot {
  /** Digest of the golden image it was made from. */
  readonly digest: string;
  /** Name of the host it lives on, as the driver reports it. */
  readonly host: string;
  readonly image: GoldenImage;
}
