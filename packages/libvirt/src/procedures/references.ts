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

/** A checkpoint of a domain. */
export interface CheckpointRef {
  readonly name: string;
  readonly dom: DomainRef;
}

/** A device of the host. */
export interface NodeDeviceRef {
  readonly name: string;
}

/** A network interface of the host. */
export interface HostInterfaceRef {
  readonly name: string;
  readonly mac: string;
}

/** A secret that the daemon keeps; this names it and never carries its value. */
export interface SecretRef {
  /** 16 raw bytes, see `uuidToString`. */
  readonly uuid: Uint8Array;
  /** See `SecretUsageType`. */
  readonly usageType: number;
  readonly usageID: string;
}

/** A packet filter. */
export interface NwfilterRef {
  readonly name: string;
  /** 16 raw bytes, see `uuidToString`. */
  readonly uuid: Uint8Array;
}

/** A packet filter that is bound to a port. */
export interface NwfilterBindingRef {
  readonly portdev: string;
  readonly filtername: string;
}

/** A port of a virtual network. */
export interface NetworkPortRef {
  readonly net: NetworkRef;
  /** 16 raw bytes, see `uuidToString`. */
  readonly uuid: Uint8Array;
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

/** Codec of {@link CheckpointRef}. */
export const checkpoint: Codec<CheckpointRef> = struct({ name: string(), dom: domain });

/** Codec of {@link NodeDeviceRef}. */
export const nodeDevice: Codec<NodeDeviceRef> = struct({ name: string() });

/** Codec of {@link HostInterfaceRef}. */
export const hostInterface: Codec<HostInterfaceRef> = struct({ name: string(), mac: string() });

/** Codec of {@link SecretRef}. */
export const secret: Codec<SecretRef> = struct({ uuid, usageType: i32, usageID: string() });

/** Codec of {@link NwfilterRef}. */
export const nwfilter: Codec<NwfilterRef> = struct({ name: string(), uuid });

/** Codec of {@link NwfilterBindingRef}. */
export const nwfilterBinding: Codec<NwfilterBindingRef> = struct({ portdev: string(), filtername: string() });

/** Codec of {@link NetworkPortRef}. */
export const networkPort: Codec<NetworkPortRef> = struct({ net: network, uuid });
