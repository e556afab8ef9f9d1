import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { hostArchitecture } from '@warmvm/core/driver';
import type { ArchitectureName } from '../architecture/guest-architecture.ts';
import type { PackageSource } from '../packages/package-source.ts';

/** A step of building the tiny image; for people, in order. `reuse` comes alone. */
export interface TinyImageProgress {
  readonly step: 'reuse' | 'resolve' | 'download' | 'libraries' | 'pack' | 'done';
}

/** Options of `buildTinyImage`. */
export interface TinyImageOptions {
  /** Private folder for built images; absolute. @default `$XDG_CACHE_HOME/warmvm/images`, else `~/.cache/warmvm/images` */
  readonly cacheDir?: string;
  /** Memory of a machine in bytes: whole MiB, 64 MiB to 1 TiB. @default 256 MiB */
  readonly memoryBytes?: number;
  /** Virtual processors of a machine, 1 to 255. @default 1 */
  readonly virtualCpus?: number;
  /** Size of the blank writable disk in bytes: whole MiB, 1 MiB to 1 TiB. @default 64 MiB */
  readonly diskBytes?: number;
  /** What the guest runs on; need not be what this machine is. @default that of this machine */
  readonly architecture?: ArchitectureName;
  /** For people; letters, digits, `-`, `_` and `.`, at most 64. @default 'tiny' */
  readonly name?: string;
  /** Aborting rejects with the signal's reason; nothing half-built stays in the cache. @default none */
  readonly signal?: AbortSignal;
  /** Told what is going on. @default none */
  readonly onProgress?: (progress: TinyImageProgress) => void;
  /** Where packages come from, those of the architecture. @default apt of this machine */
  readonly packageSource?: PackageSource;
}

/** {@link TinyImageOptions} with everything decided. */
export interface TinySettings extends MachineSize {
  readonly cacheDir: string;
  readonly diskBytes: number;
  readonly architecture: ArchitectureName;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: TinyImageProgress) => void;
  readonly packageSource: PackageSource | undefined;
}

/** What every golden image has besides its files. */
export interface MachineSize {
  readonly name: string;
  readonly memoryBytes: number;
  readonly virtualCpus: number;
}

const MIB = 1024 * 1024;
const TIB = MIB * MIB;

/** @throws TypeError, RangeError naming the option, its value and what was expected */
export function parseTinyOptions(options: TinyImageOptions): TinySettings {
  return {
    ...parseMachineSize(options, 'tiny'),
    cacheDir: parsePath('cacheDir', options.cacheDir ?? defaultCacheDir()),
    diskBytes: parseWhole('diskBytes', options.diskBytes ?? 64 * MIB, { least: MIB, most: TIB, multiple: MIB }),
    architecture: parseArchitecture(options.architecture),
    signal: options.signal,
    onProgress: options.onProgress ?? (() => undefined),
    packageSource: options.packageSource,
  };
}

/** @throws TypeError, RangeError naming the option, its value and what was expected */
export function parseMachineSize(options: Partial<MachineSize>, defaultName: string): MachineSize {
  const name = options.name ?? defaultName;
  if (typeof name !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
    throw new TypeError(`name is ${show(name)}; expected 1 to 64 letters, digits, "-", "_" and ".".`);
  }
  const memoryRange = { least: 64 * MIB, most: TIB, multiple: MIB };
  return {
    name,
    memoryBytes: parseWhole('memoryBytes', options.memoryBytes ?? 256 * MIB, memoryRange),
    virtualCpus: parseWhole('virtualCpus', options.virtualCpus ?? 1, { least: 1, most: 255, multiple: 1 }),
  };
}

/** @throws TypeError when the architecture is none that warmvm knows */
export function parseArchitecture(given: unknown): ArchitectureName {
  const architecture = given ?? hostArchitecture();
  if (architecture !== 'x86_64' && architecture !== 'aarch64') {
    throw new TypeError(`architecture is ${show(architecture)}; expected 'x86_64' or 'aarch64'.`);
  }
  return architecture;
}

/** @throws TypeError when this is no absolute path */
export function parsePath(option: string, value: unknown): string {
  if (typeof value !== 'string' || !isAbsolute(value) || value.includes('\0')) {
    throw new TypeError(`${option} is ${show(value)}; expected an absolute path.`);
  }
  return value;
}

/** @throws TypeError, RangeError when this is no whole number in the range */
export function parseWhole(
  option: string,
  value: unknown,
  range: { readonly least: number; readonly most: number; readonly multiple: number },
): number {
  if (typeof value !== 'number') throw new TypeError(`${option} is ${show(value)}; expected a number.`);
  if (!Number.isSafeInteger(value) || value < range.least || value > range.most || value % range.multiple !== 0) {
    const steps = range.multiple === 1 ? 'a whole number' : `a multiple of ${range.multiple}`;
    throw new RangeError(`${option} is ${value}; expected ${steps} from ${range.least} to ${range.most}.`);
  }
  return value;
}

function defaultCacheDir(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'), 'warmvm', 'images');
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
