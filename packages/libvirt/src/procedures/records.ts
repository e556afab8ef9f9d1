import { array, bytes, type Codec, chars, i32, i64, optional, string, struct, u32, u64 } from '../xdr/index.ts';
import { type DomainRef, domain } from './references.ts';
import { param, type TypedParam } from './typed-param.ts';

/** One statistic of `domainMemoryStats`; `tag` is one of `DomainMemoryStatTags`. */
export interface MemoryStat {
  readonly tag: number;
  /** KiB, or a count for the fault tags. */
  readonly val: bigint;
}

/** One virtual processor. */
export interface VcpuInfo {
  readonly number: number;
  readonly state: number;
  /** Nanoseconds. */
  readonly cpuTime: bigint;
  /** The host processor it runs on, -1 when off. */
  readonly cpu: number;
}

/** The statistics of one domain; see `typedParams`. */
export interface DomainStats {
  readonly dom: DomainRef;
  readonly params: readonly TypedParam[];
}

/** One mounted filesystem of a guest. */
export interface Filesystem {
  readonly mountpoint: string;
  readonly name: string;
  readonly fstype: string;
  readonly devAliases: readonly string[];
}

/** One address of a guest; `type` 0 is IPv4, 1 is IPv6. */
export interface IpAddress {
  readonly type: number;
  readonly addr: string;
  readonly prefix: number;
}

/** One network interface of a guest. */
export interface NetworkInterface {
  readonly name: string;
  readonly hwaddr?: string | undefined;
  readonly addrs: readonly IpAddress[];
}

/** One DHCP lease of a virtual network. */
export interface DhcpLease {
  readonly iface: string;
  /** Seconds since the Unix epoch. */
  readonly expirytime: bigint;
  /** 0 is IPv4, 1 is IPv6. */
  readonly type: number;
  readonly mac?: string | undefined;
  readonly iaid?: string | undefined;
  readonly ipaddr: string;
  readonly prefix: number;
  readonly hostname?: string | undefined;
  readonly clientid?: string | undefined;
}

/** One statistic of the host. */
export interface NodeStat {
  readonly field: string;
  readonly value: bigint;
}

/** One end of a graphics connection. */
export interface GraphicsAddress {
  readonly family: number;
  readonly node: string;
  readonly service: string;
}

/** Who opened a graphics connection. */
export interface GraphicsIdentity {
  readonly type: string;
  readonly name: string;
}

/** A disk of a domain that failed. */
export interface DiskError {
  readonly disk: string;
  /** See `DomainDiskErrorCode`. */
  readonly error: number;
}

/** A thread that serves disks of a domain. */
export interface IothreadInfo {
  readonly iothreadId: number;
  /** The host processors it may run on, one bit each, the lowest first. */
  readonly cpumap: Uint8Array;
}

/** The label that a security driver gave a domain. */
export interface SecurityLabel {
  readonly label: string;
  /** 1 where the driver enforces it. */
  readonly enforcing: number;
}

const text = string();
const optionalText = optional(text);

/** Codec of {@link MemoryStat}. */
export const memoryStat: Codec<MemoryStat> = struct({ tag: i32, val: u64 });

/** Codec of {@link VcpuInfo}. */
export const vcpuInfo: Codec<VcpuInfo> = struct({ number: u32, state: i32, cpuTime: u64, cpu: i32 });

/** Codec of {@link DomainStats}. */
export const domainStats: Codec<DomainStats> = struct({ dom: domain, params: array(param, { max: 262_144 }) });

/** Codec of {@link Filesystem}. */
export const filesystem: Codec<Filesystem> = struct({
  mountpoint: text,
  name: text,
  fstype: text,
  devAliases: array(text, { max: 256 }),
});

/** Codec of {@link NetworkInterface}. */
export const networkInterface: Codec<NetworkInterface> = struct({
  name: text,
  hwaddr: optionalText,
  addrs: array(struct({ type: i32, addr: text, prefix: u32 }), { max: 2048 }),
});

/** Codec of {@link DhcpLease}. */
export const dhcpLease: Codec<DhcpLease> = struct({
  iface: text,
  expirytime: i64,
  type: i32,
  mac: optionalText,
  iaid: optionalText,
  ipaddr: text,
  prefix: u32,
  hostname: optionalText,
  clientid: optionalText,
});

/** Codec of {@link NodeStat}. */
export const nodeStat: Codec<NodeStat> = struct({ field: text, value: u64 });

/** Codec of {@link GraphicsAddress}. */
export const graphicsAddress: Codec<GraphicsAddress> = struct({ family: i32, node: text, service: text });

/** Codec of {@link GraphicsIdentity}. */
export const graphicsIdentity: Codec<GraphicsIdentity> = struct({ type: text, name: text });

/** Codec of {@link DiskError}. */
export const diskError: Codec<DiskError> = struct({ disk: text, error: i32 });

/** Codec of {@link IothreadInfo}. */
export const iothread: Codec<IothreadInfo> = struct({ iothreadId: u32, cpumap: bytes({ maxBytes: 2048 }) });

/** Codec of {@link SecurityLabel}. */
export const securityLabel: Codec<SecurityLabel> = struct({ label: chars({ max: 4097 }), enforcing: i32 });
