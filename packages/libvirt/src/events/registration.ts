import { Program } from '../frame/header.ts';
import type { ProcedureName } from '../procedures/index.ts';
import type { Fields, PayloadOf } from '../procedures/notation.ts';
import type { DomainRef, NetworkRef, StoragePoolRef } from '../procedures/references.ts';
import { domainEventKinds, networkEventKinds, qemuMonitorEventKinds, storagePoolEventKinds } from './kinds.ts';

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

/** Registration of domain events. */
export function domainRegistration(kind: string, options: DomainEventsOptions): Registration {
  const entry = entryOf('domain', domainEventKinds, kind);
  return {
    what: `domain events (${kind})`,
    key: `domain:${kind}:${identity(options.dom)}`,
    program: Program.REMOTE,
    kind: entry,
    register: 'connectDomainEventCallbackRegisterAny',
    deregister: 'connectDomainEventCallbackDeregisterAny',
    args: { eventID: entry.eventId, dom: options.dom },
    signal: options.signal,
  };
}

/** Registration of storage pool events. */
export function storagePoolRegistration(kind: string, options: StoragePoolEventsOptions): Registration {
  const entry = entryOf('storage pool', storagePoolEventKinds, kind);
  return {
    what: `storage pool events (${kind})`,
    key: `storage pool:${kind}:${identity(options.pool)}`,
    program: Program.REMOTE,
    kind: entry,
    register: 'connectStoragePoolEventRegisterAny',
    deregister: 'connectStoragePoolEventDeregisterAny',
    args: { eventID: entry.eventId, pool: options.pool },
    signal: options.signal,
  };
}

/** Registration of network events. */
export function networkRegistration(kind: string, options: NetworkEventsOptions): Registration {
  const entry = entryOf('network', networkEventKinds, kind);
  return {
    what: `network events (${kind})`,
    key: `network:${kind}:${identity(options.net)}`,
    program: Program.REMOTE,
    kind: entry,
    register: 'connectNetworkEventRegisterAny',
    deregister: 'connectNetworkEventDeregisterAny',
    args: { eventID: entry.eventId, net: options.net },
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

/** What the daemon tells objects apart by; an object that is none fails when it is encoded. */
function identity(reference: { readonly uuid: Uint8Array } | undefined): string {
  return reference === undefined ? 'all' : String(reference?.uuid);
}

function entryOf(what: string, kinds: Readonly<Record<string, EventKindEntry>>, kind: string): EventKindEntry {
  const entry = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!entry)
    throw new TypeError(`kind of ${what} events one of ${Object.keys(kinds).join(', ')} expected, got ${kind}`);
  return entry;
}
