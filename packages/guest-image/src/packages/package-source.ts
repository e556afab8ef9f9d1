import type { CallOptions } from '@warmvm/core/driver';

/** A Debian package at one version. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
  /** 64 hexadecimal digits of the package file. */
  readonly sha256: string;
  /** What it depends on, in order; each a list of alternatives by name, without versions. */
  readonly dependencies: readonly (readonly string[])[];
}

/** Where the tiny image's packages come from. The default asks `apt`; tests bring their own. */
export interface PackageSource {
  /** A short text that changes whenever `resolve` might answer differently. Must be cheap: it is asked on every call. */
  fingerprint(options: CallOptions): Promise<string>;
  /** The packages of these names as they would be installed today; names that do not exist are left out. */
  resolve(names: readonly string[], options: CallOptions): Promise<ReadonlyMap<string, SourcePackage>>;
  /** Fetches the packages, checks them against their digests, and unpacks each into `directory/<package name>`. */
  unpack(packages: readonly SourcePackage[], directory: string, options: CallOptions): Promise<void>;
}
