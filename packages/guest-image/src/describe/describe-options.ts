import type { GoldenImage, Renewal } from '@warmvm/core/driver';
import type { DigestProgress, ReferOptions } from '../golden/file-digest.ts';
import { type MachineSize, parseArchitecture, parseMachineSize } from '../image/tiny-options.ts';

/** Options that all described images share. */
export interface DescribeOptions {
  /** For people; letters, digits, `-`, `_` and `.`, at most 64. @default 'custom' */
  readonly name?: string;
  /** Memory of a machine in bytes: whole MiB, 64 MiB to 1 TiB. @default 256 MiB */
  readonly memoryBytes?: number;
  /** Virtual processors of a machine, 1 to 255. @default 1 */
  readonly virtualCpus?: number;
  /** What the guest runs on. @default that of this machine */
  readonly architecture?: 'x86_64' | 'aarch64';
  /** `user` gives the guest a way out through the host's own network. @default 'none' */
  readonly network?: 'none' | 'user';
  /** How the guest is told that it is a new generation; without it, drivers refuse the image unless told otherwise. @default none */
  readonly renewal?: Renewal;
  /** Aborting rejects with the signal's reason. @default none */
  readonly signal?: AbortSignal;
  /** Told how much of the file that is being read for its digest is done. @default none */
  readonly onProgress?: (progress: DigestProgress) => void;
}

/** {@link DescribeOptions} with everything decided. */
export interface DescribeSettings extends MachineSize {
  readonly architecture: GoldenImage['architecture'];
  readonly network: GoldenImage['network'];
  readonly renewal: Renewal | undefined;
  /** For reading files. */
  readonly reading: ReferOptions;
}

/** @throws TypeError, RangeError naming the option, its value and what was expected */
export function parseDescribeOptions(options: DescribeOptions): DescribeSettings {
  const network = options.network ?? 'none';
  if (network !== 'none' && network !== 'user') {
    throw new TypeError(`network is ${JSON.stringify(network)}; expected 'none' or 'user'.`);
  }
  const command = options.renewal?.command;
  if (options.renewal !== undefined && !/^\/[^\0\n]{1,1023}$/.test(String(command))) {
    throw new TypeError(`renewal.command is ${JSON.stringify(command)}; expected an absolute path in the guest.`);
  }
  return {
    ...parseMachineSize(options, 'custom'),
    architecture: parseArchitecture(options.architecture),
    network,
    renewal: options.renewal,
    reading: {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    },
  };
}

/** The part of a golden image that these settings decide. */
export function describedMachine(settings: DescribeSettings): Omit<GoldenImage, 'name' | 'digest' | 'boot'> {
  return {
    architecture: settings.architecture,
    memoryBytes: settings.memoryBytes,
    virtualCpus: settings.virtualCpus,
    network: settings.network,
    ...(settings.renewal === undefined ? {} : { renewal: settings.renewal }),
  };
}
