import {
  array,
  bytes,
  type Codec,
  chars,
  f64,
  fixed,
  i8,
  i32,
  i64,
  opaque,
  optional,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../xdr/index.ts';
import * as record from './records.ts';
import * as reference from './references.ts';
import { param, type TypedParam } from './typed-param.ts';

/** The types that tables of procedures and events are written in, and their TypeScript counterparts. */
export interface WireTypes {
  readonly i8: number;
  readonly u8: number;
  readonly u16: number;
  readonly i32: number;
  readonly u32: number;
  readonly i64: bigint;
  readonly u64: bigint;
  readonly f64: number;
  readonly string: string;
  readonly uuid: Uint8Array;
  readonly domain: reference.DomainRef;
  readonly network: reference.NetworkRef;
  readonly pool: reference.StoragePoolRef;
  readonly volume: reference.StorageVolumeRef;
  readonly snapshot: reference.SnapshotRef;
  readonly checkpoint: reference.CheckpointRef;
  readonly nodeDevice: reference.NodeDeviceRef;
  readonly hostInterface: reference.HostInterfaceRef;
  readonly secret: reference.SecretRef;
  readonly nwfilter: reference.NwfilterRef;
  readonly nwfilterBinding: reference.NwfilterBindingRef;
  readonly networkPort: reference.NetworkPortRef;
  readonly param: TypedParam;
  readonly memoryStat: record.MemoryStat;
  readonly vcpuInfo: record.VcpuInfo;
  readonly domainStats: record.DomainStats;
  readonly filesystem: record.Filesystem;
  readonly networkInterface: record.NetworkInterface;
  readonly dhcpLease: record.DhcpLease;
  readonly nodeStat: record.NodeStat;
  readonly graphicsAddress: record.GraphicsAddress;
  readonly graphicsIdentity: record.GraphicsIdentity;
  readonly diskError: record.DiskError;
  readonly iothread: record.IothreadInfo;
  readonly securityLabel: record.SecurityLabel;
}

type WireName = keyof WireTypes;

/**
 * One field of a table: a type by name, `name?` when it may be missing, `name[max]` for an array, `name{count}` for
 * an array without a count on the wire, `bytes<=max` for raw bytes, `chars` like an array for text sent as characters.
 */
export type Notation =
  | WireName
  | `${WireName}?`
  | `${WireName}[${number}]`
  | `${WireName}{${number}}`
  | `bytes<=${number}`
  | `chars[${number}]`
  | `chars{${number}}`;

/** Fields of a payload, in wire order. */
export type Fields = Readonly<Record<string, Notation>>;

type ValueOf<Text> = Text extends WireName
  ? WireTypes[Text]
  : Text extends `${infer Name extends WireName}[${number}]` | `${infer Name extends WireName}{${number}}`
    ? readonly WireTypes[Name][]
    : Text extends `${infer Name extends WireName}?`
      ? WireTypes[Name] | undefined
      : Text extends `bytes<=${number}`
        ? Uint8Array
        : Text extends `chars${string}`
          ? string
          : never;

type MaybeMissing<Payload> = {
  [Name in keyof Payload]: Payload[Name] extends `${string}?` ? Name : never;
}[keyof Payload];

/** The TypeScript type of a payload: fields that may be missing may be left out. */
export type PayloadOf<Payload> = {
  -readonly [Name in Exclude<keyof Payload, MaybeMissing<Payload>>]: ValueOf<Payload[Name]>;
} & { -readonly [Name in MaybeMissing<Payload>]?: ValueOf<Payload[Name]> };

const codecs: { readonly [Name in WireName]: Codec<WireTypes[Name]> } = {
  i8,
  u8,
  u16,
  i32,
  u32,
  i64,
  u64,
  f64,
  string: string(),
  uuid: opaque(16),
  domain: reference.domain,
  network: reference.network,
  pool: reference.pool,
  volume: reference.volume,
  snapshot: reference.snapshot,
  checkpoint: reference.checkpoint,
  nodeDevice: reference.nodeDevice,
  hostInterface: reference.hostInterface,
  secret: reference.secret,
  nwfilter: reference.nwfilter,
  nwfilterBinding: reference.nwfilterBinding,
  networkPort: reference.networkPort,
  param,
  memoryStat: record.memoryStat,
  vcpuInfo: record.vcpuInfo,
  domainStats: record.domainStats,
  filesystem: record.filesystem,
  networkInterface: record.networkInterface,
  dhcpLease: record.dhcpLease,
  nodeStat: record.nodeStat,
  graphicsAddress: record.graphicsAddress,
  graphicsIdentity: record.graphicsIdentity,
  diskError: record.diskError,
  iothread: record.iothread,
  securityLabel: record.securityLabel,
};

const shape = /^(?<name>[A-Za-z0-9]+)(?:(?<missing>\?)|\[(?<max>\d+)\]|\{(?<count>\d+)\}|<=(?<maxBytes>\d+))?$/;

/** The codec that a notation stands for. */
export function codecOf(notation: Notation): Codec<unknown> {
  const { name = '', missing, max, count, maxBytes } = shape.exec(notation)?.groups ?? {};
  if (maxBytes !== undefined && name === 'bytes') return bytes({ maxBytes: Number(maxBytes) });
  if (name === 'chars' && max !== undefined) return chars({ max: Number(max) });
  if (name === 'chars' && count !== undefined) return chars({ count: Number(count) });
  const codec = Object.hasOwn(codecs, name) ? (codecs[name as WireName] as Codec<unknown>) : undefined;
  if (!codec) throw new TypeError(`notation ${notation} is not known; use one of ${Object.keys(codecs).join(', ')}`);
  if (missing) return optional(codec);
  if (max !== undefined) return array(codec, { max: Number(max) });
  return count === undefined ? codec : fixed(codec, Number(count));
}

/** The codec of a whole payload. */
export function payloadCodec(fields: Fields): Codec<Readonly<Record<string, unknown>>> {
  return struct(Object.fromEntries(Object.entries(fields).map(([name, notation]) => [name, codecOf(notation)])));
}
