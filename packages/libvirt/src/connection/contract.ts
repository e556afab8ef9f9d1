import type { LibvirtError } from '../error.ts';
import type {
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
} from '../events/registration.ts';
import type { Subscription } from '../events/subscription.ts';
import type { WaitOptions } from '../guard.ts';
import type {
  ArgsOf,
  ParameterProcedureName,
  ProcedureName,
  ReturnOf,
  StreamProcedureName,
} from '../procedures/index.ts';
import type { TypedParamPlain } from '../procedures/typed-param.ts';
import type { LibvirtStream } from '../streams/stream.ts';

/** Options of one call. */
export type CallOptions = WaitOptions;

/** What a connection and a client have in common. */
export interface LibvirtSession extends AsyncDisposable {
  /** The URI it was opened with. */
  readonly uri: string;
  /** Resolves, never rejects, when the connection is over: to its error, or undefined after `close()`. */
  readonly closed: Promise<LibvirtError | undefined>;
  /**
   * Makes a call: arguments and results by field name, 64-bit integers as bigint. `flags` and other arguments that nearly all callers
   * pass alike may be left out.
   *
   * Calls run in any order, and even a reply that came first proves nothing: await a call before one that depends on it. A call
   * that was given up may still be carried out.
   * @throws TypeError or RangeError on bad arguments, the signal's reason, or LibvirtError.
   */
  call<Name extends ProcedureName>(name: Name, args: ArgsOf<Name>, options?: CallOptions): Promise<ReturnOf<Name>>;
  /**
   * Makes a call that returns typed parameters, such as `domainGetMemoryParameters`, and returns them by name with plain values.
   * @throws like `call`
   */
  parameters<Name extends ParameterProcedureName>(
    name: Name,
    args: ArgsOf<Name>,
    options?: CallOptions,
  ): Promise<Map<string, TypedParamPlain>>;
  /**
   * Makes a call that opens a stream.
   * @throws like `call`
   */
  openStream<Name extends StreamProcedureName>(
    name: Name,
    args: ArgsOf<Name>,
    options?: CallOptions,
  ): Promise<LibvirtStream<ReturnOf<Name>>>;
  /**
   * Subscribes to domain events of one kind. Register first, then list, then apply events on top.
   *
   * Any number of subscribers may ask for the same kind and object: they share one registration at the daemon, and each gets every
   * event as a value of its own.
   */
  domainEvents<Kind extends DomainEventKind>(
    kind: Kind,
    options?: DomainEventsOptions,
  ): Promise<Subscription<DomainEventOf<Kind>>>;
  /** Subscribes to storage pool events of one kind. */
  storagePoolEvents<Kind extends StoragePoolEventKind>(
    kind: Kind,
    options?: StoragePoolEventsOptions,
  ): Promise<Subscription<StoragePoolEventOf<Kind>>>;
  /** Subscribes to network events of one kind. */
  networkEvents<Kind extends NetworkEventKind>(
    kind: Kind,
    options?: NetworkEventsOptions,
  ): Promise<Subscription<NetworkEventOf<Kind>>>;
  /** Subscribes to events of the host's devices of one kind. */
  nodeDeviceEvents<Kind extends NodeDeviceEventKind>(
    kind: Kind,
    options?: NodeDeviceEventsOptions,
  ): Promise<Subscription<NodeDeviceEventOf<Kind>>>;
  /** Subscribes to secret events of one kind; none carries a value. */
  secretEvents<Kind extends SecretEventKind>(
    kind: Kind,
    options?: SecretEventsOptions,
  ): Promise<Subscription<SecretEventOf<Kind>>>;
  /** Subscribes to events of the qemu monitor. */
  monitorEvents(options?: MonitorEventsOptions): Promise<Subscription<MonitorEvent>>;
  /** Says good-bye and closes; what is still under way ends with `LIBVIRT_CLOSED`. Idempotent, never rejects. */
  close(): Promise<void>;
}

/** One connection to a daemon. */
export interface Connection extends LibvirtSession {
  /** Calls the daemon works on at this moment, those whose caller gave up included. */
  readonly inFlight: number;
}
