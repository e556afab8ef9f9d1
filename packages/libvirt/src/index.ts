export { type Client, openClient } from './client/client.ts';
export { type Clock, systemClock } from './clock.ts';
export { connect } from './connection/connect.ts';
export type { CallOptions, Connection, LibvirtSession } from './connection/contract.ts';
export type { KeepaliveOptions } from './connection/keepalive.ts';
export type { ConnectOptions, Dial } from './connection/options.ts';
export * from './constants/index.ts';
export { type LocalDialerOptions, localDialer } from './dial/local.ts';
export type { DaemonMode } from './dial/socket-path.ts';
export { type LibvirtUri, parseUri, shownUri } from './dial/uri.ts';
export {
  isLibvirtError,
  LibvirtError,
  type LibvirtErrorCode,
  type LibvirtErrorOptions,
} from './error.ts';
export type {
  DomainEventKind,
  DomainEventOf,
  DomainEventsOptions,
  MonitorEvent,
  MonitorEventsOptions,
  NetworkEventKind,
  NetworkEventOf,
  NetworkEventsOptions,
  NodeDeviceEventKind,
  NodeDeviceEventOf,
  NodeDeviceEventsOptions,
  SecretEventKind,
  SecretEventOf,
  SecretEventsOptions,
  StoragePoolEventKind,
  StoragePoolEventOf,
  StoragePoolEventsOptions,
} from './events/registration.ts';
export type { Subscription } from './events/subscription.ts';
export type { WaitOptions } from './guard.ts';
export { type Json, toJson } from './json.ts';
export { type Constants, flagNames, lifecycleNames, nameOf, stateNames } from './names.ts';
export type {
  ArgsOf,
  ParameterProcedureName,
  ProcedureName,
  ReturnOf,
  StreamProcedureName,
} from './procedures/index.ts';
export type {
  DhcpLease,
  DiskError,
  DomainStats,
  Filesystem,
  GraphicsAddress,
  GraphicsIdentity,
  IothreadInfo,
  IpAddress,
  MemoryStat,
  NetworkInterface,
  NodeStat,
  SecurityLabel,
  VcpuInfo,
} from './procedures/records.ts';
export type {
  CheckpointRef,
  DomainRef,
  HostInterfaceRef,
  NetworkPortRef,
  NetworkRef,
  NodeDeviceRef,
  NwfilterBindingRef,
  NwfilterRef,
  SecretRef,
  SnapshotRef,
  StoragePoolRef,
  StorageVolumeRef,
} from './procedures/references.ts';
export { type TypedParam, type TypedParamPlain, type TypedParamValue, typedParams } from './procedures/typed-param.ts';
export { uuidFromString, uuidToString } from './procedures/uuid.ts';
export type { StreamPart } from './streams/incoming.ts';
export type { LibvirtStream } from './streams/stream.ts';
