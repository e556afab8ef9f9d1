import { type Codec, i32, opaque, string, struct } from '../xdr/index.ts';

/** A domain as the protocol names it; `id` is -1 while it is off. Match by `uuid`: ids change with every start. */
export interface DomainRef {
  readonly name: string;
  /** 16 raw bytes, see `uuidToString`. */
  readonly uuid: Uint8Array;
  readonly id: number;
}

/** A virtual network. */
export interface NetworkRef {
  readonly name: string;
  /** 16 raw bytes, see `uuidToString`. */
  readonly uuid: Uint8Array;
}

/** A storage pool. */
export interface StoragePoolRef {
  readonly name: string;
  /** 16 raw bytes, see `uuidToString`. */
  readonly uuid: Uint8Array;
}

/** A volume of a storage pool. */
export interface StorageVolumeRef {
  /** Name of the pool. */
  readonly pool: string;
  readonly name: string;
  /** What the pool identifies it by; the path in a directory pool. */
  readonly key: string;
}

/** A snapshot of a domain. */
export interface SnapshotRef {
  readonly name: string;
  readonly dom: DomainRef;
}

const uuid = opaque(16);

/** Codec of {@link DomainRef}. */
export const domain: Codec<DomainRef> = struct({ name: string(), uuid, id: i32 });

/** Codec of {@link NetworkRef}. */
export const network: Codec<NetworkRef> = struct({ name: string(), uuid });

/** Codec of {@link StoragePoolRef}. */
export const pool: Codec<StoragePoolRef> = struct({ name: string(), uuid });

/** Codec of {@link StorageVolumeRef}. */
export const volume: Codec<StorageVolumeRef> = struct({ pool: string(), name: string(), key: string() });

/** Codec of {@link SnapshotRef}. */
export const snapshot: Codec<SnapshotRef> = struct({ name: string(), dom: domain });
