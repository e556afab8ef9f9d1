import { Program } from '../frame/header.ts';
import type { ProcedureName } from '../procedures/index.ts';
import type { Fields, PayloadOf } from '../procedures/notation.ts';
import type { DomainRef, NetworkRef, NodeDeviceRef, SecretRef, StoragePoolRef } from '../procedures/references.ts';
import {
  domainEventKinds,
  networkEventKinds,
  nodeDeviceEventKinds,
  qemuMonitorEventKinds,
  secretEventKinds,
  storagePoolEventKinds,
} from './kinds.ts';

/** One line of a table of event kinds. */
export interface EventKindEntry {
  /** What a registration asks for. */
  readonly eventId: number;
  /** Number of the message that carries it. */
  readonly message: number;
  /** Fields after the callback id. */
  readonly payload: Fields;
}

/** Name of a kind of domain event, such as `lifecycle`. */
export type DomainEventKind = keyof typeof domainEventKinds;

/** A domain event of one kind. */
export type DomainEventOf<Kind extends DomainEventKind> = PayloadOf<(typeof domainEventKinds)[Kind]['payload']>;

/** Name of a kind of storage pool event. */
export type StoragePoolEventKind = keyof typeof storagePoolEventKinds;

/** A storage pool event of one kind. */
export type StoragePoolEventOf<Kind extends StoragePoolEventKind> = PayloadOf<
  (typeof storagePoolEventKinds)[Kind]['payload']
>;

/** Name of a kind of network event. */
export type NetworkEventKind = keyof typeof networkEventKinds;

/** A network event of one kind. */
export type NetworkEventOf<Kind extends NetworkEventKind> = PayloadOf<(typeof networkEventKinds)[Kind]['payload']>;

/** Name of a kind of event of the host's devices. */
export type NodeDeviceEventKind = keyof typeof nodeDeviceEventKinds;

/** An event of a device of the host, of one kind. */
export type NodeDeviceEventOf<Kind extends NodeDeviceEventKind> = PayloadOf<
  (typeof nodeDeviceEventKinds)[Kind]['payload']
>;

/** Name of a kind of secret event. */
export type SecretEventKind = keyof typeof secretEventKinds;

/** A secret event of one kind; none carries a value. */
export type SecretEventOf<Kind extends SecretEventKind> = PayloadOf<(typeof secretEventKinds)[Kind]['payload']>;

/** An event of the qemu monitor; `details` is a JSON text, missing for events without data. */
export type MonitorEvent = PayloadOf<(typeof qemuMonitorEventKinds)['monitor']['payload']>;

/** Ends a wait for a registration, and later the subscription itself. */
interface SignalOption {
  /** While registering: gives it up. Later: ends the subscription with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Which domain events to hear. */
export interface DomainEventsOptions extends SignalOption {
  /** Only this domain. @default all */
  readonly dom?: DomainRef | undefined;
}

/** Which storage pool events to hear. */
export interface StoragePoolEventsOptions extends SignalOption {
  /** Only this pool. @default all */
  readonly pool?: StoragePoolRef | undefined;
}

/** Which network events to hear. */
export interface NetworkEventsOptions extends SignalOption {
  /** Only this network. @default all */
  readonly net?: NetworkRef | undefined;
}

/** Which events of the host's devices to hear. */
export interface NodeDeviceEventsOptions extends SignalOption {
  /** Only this device. @default all */
  readonly dev?: NodeDeviceRef | undefined;
}

/** Which secret events to hear. */
export interface SecretEventsOptions extends SignalOption {
  /** Only this secret. @default all */
  readonly secret?: SecretRef | undefined;
}

/** Which qemu monitor events to hear. */
export interface MonitorEventsOptions extends SignalOption {
  /** Only this domain. @default all */
  readonly dom?: DomainRef | undefined;
  /** Name of the event, or a pattern with flag REGEX. @default all */
  readonly event?: string | undefined;
  /** See `QemuMonitorEventFlags`. @default 0 */
  readonly flags?: number | undefined;
}

/** Everything a registration needs. */
export interface Registration {
  readonly what: string;
  /** The same for all subscribers that one registration serves. */
  readonly key: string;
  readonly program: number;
  readonly kind: EventKindEntry;
  readonly register: ProcedureName;
  readonly deregister: ProcedureName;
  readonly args: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal | undefined;
}

interface Family {
  readonly what: string;
  readonly kinds: Readonly<Record<string, EventKindEntry>>;
  /** Name of the argument that narrows a registration to one object. */
  readonly object: 'dom' | 'pool' | 'net' | 'dev' | 'secret';
  readonly register: ProcedureName;
  readonly deregister: ProcedureName;
}

type FamilyName = 'domain' | 'storagePool' | 'network' | 'nodeDevice' | 'secret';

const families: Readonly<Record<FamilyName, Family>> = {
  domain: {
    what: 'domain',
    kinds: domainEventKinds,
    object: 'dom',
    register: 'connectDomainEventCallbackRegisterAny',
    deregister: 'connectDomainEventCallbackDeregisterAny',
  },
  storagePool: {
    what: 'storage pool',
    kinds: storagePoolEventKinds,
    object: 'pool',
    register: 'connectStoragePoolEventRegisterAny',
    deregister: 'connectStoragePoolEventDeregisterAny',
  },
  network: {
    what: 'network',
    kinds: networkEventKinds,
    object: 'net',
    register: 'connectNetworkEventRegisterAny',
    deregister: 'connectNetworkEventDeregisterAny',
  },
  nodeDevice: {
    what: 'node device',
    kinds: nodeDeviceEventKinds,
    object: 'dev',
    register: 'connectNodeDeviceEventRegisterAny',
    deregister: 'connectNodeDeviceEventDeregisterAny',
  },
  secret: {
    what: 'secret',
    kinds: secretEventKinds,
    object: 'secret',
    register: 'connectSecretEventRegisterAny',
    deregister: 'connectSecretEventDeregisterAny',
  },
};

type AnyOptions = DomainEventsOptions &
  StoragePoolEventsOptions &
  NetworkEventsOptions &
  NodeDeviceEventsOptions &
  SecretEventsOptions;

/**
 * Registration of events about one sort of object.
 * @throws TypeError when there are no events of that kind.
 */
export function objectRegistration(family: FamilyName, kind: string, options: AnyOptions): Registration {
  const { what, kinds, object, register, deregister } = families[family];
  const entry = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!entry) {
    throw new TypeError(`kind of ${what} events one of ${Object.keys(kinds).join(', ')} expected, got ${kind}`);
  }
  return {
    what: `${what} events (${kind})`,
    key: `${family}:${kind}:${identity(options[object])}`,
    program: Program.REMOTE,
    kind: entry,
    register,
    deregister,
    args: { eventID: entry.eventId, [object]: options[object] },
    signal: options.signal,
  };
}

/** Registration of qemu monitor events. */
export function monitorRegistration(options: MonitorEventsOptions): Registration {
  return {
    what: 'qemu monitor events',
    key: `monitor:${options.flags ?? 0}:${identity(options.dom)}:${options.event}`,
    program: Program.QEMU,
    kind: qemuMonitorEventKinds.monitor,
    register: 'connectDomainMonitorEventRegister',
    deregister: 'connectDomainMonitorEventDeregister',
    args: { dom: options.dom, event: options.event, flags: options.flags ?? 0 },
    signal: options.signal,
  };
}

/** What the daemon tells objects apart by; a value that is not an object fails when it is encoded. */
function identity(reference: { readonly uuid?: Uint8Array; readonly name?: string } | undefined): string {
  if (reference === undefined) return 'all';
  return String(reference?.uuid ?? reference?.name);
}
