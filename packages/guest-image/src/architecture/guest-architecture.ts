import type { GoldenImage } from '@warmvm/core/driver';

/** The processors that guests run on, by the name that QEMU and the kernel have for them. */
export type ArchitectureName = GoldenImage['architecture'];

/** What differs between tiny images by their processor. */
export interface GuestArchitecture {
  readonly name: ArchitectureName;
  /** For people. */
  readonly title: string;
  /** What Debian calls it. */
  readonly debian: 'amd64' | 'arm64';
  /** `e_machine` of its ELF files. */
  readonly elfMachine: number;
  /** Debian's folder for its libraries, below `lib` and `usr/lib`. */
  readonly libraryFolder: string;
  /** What the kernel calls the serial port of its machines. */
  readonly serialPort: string;
}

export const ARCHITECTURES: Readonly<Record<ArchitectureName, GuestArchitecture>> = {
  x86_64: {
    name: 'x86_64',
    title: 'x86-64',
    debian: 'amd64',
    elfMachine: 62,
    libraryFolder: 'x86_64-linux-gnu',
    serialPort: 'ttyS0',
  },
  aarch64: {
    name: 'aarch64',
    title: 'arm64',
    debian: 'arm64',
    elfMachine: 183,
    libraryFolder: 'aarch64-linux-gnu',
    serialPort: 'ttyAMA0',
  },
};
