import { Program } from '../frame/header.ts';
import type { Codec } from '../xdr/index.ts';
import { authProcedures } from './auth.ts';
import { backupProcedures } from './backup.ts';
import { connectionProcedures } from './connection.ts';
import { argumentsCodec, type DefaultedName } from './defaults.ts';
import { domainDevicesProcedures } from './domain-devices.ts';
import { domainGuestProcedures } from './domain-guest.ts';
import { domainInspectionProcedures } from './domain-inspection.ts';
import { domainLifecycleProcedures } from './domain-lifecycle.ts';
import { domainTuningProcedures } from './domain-tuning.ts';
import { eventRegistrationProcedures } from './event-registration.ts';
import { hostInterfaceProcedures } from './host-interface.ts';
import { migrationProcedures } from './migration.ts';
import { networkProcedures } from './network.ts';
import { nodeProcedures } from './node.ts';
import { nodeDeviceProcedures } from './node-device.ts';
import { type Fields, type PayloadOf, payloadCodec } from './notation.ts';
import { nwfilterProcedures } from './nwfilter.ts';
import { qemuProcedures } from './qemu.ts';
import { secretProcedures } from './secret.ts';
import { snapshotProcedures } from './snapshot.ts';
import { storagePoolProcedures } from './storage-pool.ts';
import { storageVolumeProcedures } from './storage-volume.ts';

/** One line of a table of procedures. */
export interface ProcedureEntry {
  /** Number on the wire, within its program. */
  readonly number: number;
  /** Fields of the call. */
  readonly args: Fields;
  /** Fields of the reply. */
  readonly ret: Fields;
  /** The program it belongs to. @default 'remote' */
  readonly program?: 'remote' | 'qemu';
  /** Whether it may take as long as a guest or a disk takes; `Client` keeps such calls off the main connection. */
  readonly slow?: true;
  /** Which way data flows after the reply, for calls that open a stream. */
  readonly stream?: 'read' | 'write' | 'both';
  /** Whether flag 1 turns on stream holes. */
  readonly sparse?: true;
}

type Table = typeof authProcedures &
  typeof connectionProcedures &
  typeof eventRegistrationProcedures &
  typeof nodeProcedures &
  typeof domainLifecycleProcedures &
  typeof domainInspectionProcedures &
  typeof domainDevicesProcedures &
  typeof domainGuestProcedures &
  typeof snapshotProcedures &
  typeof storagePoolProcedures &
  typeof storageVolumeProcedures &
  typeof networkProcedures &
  typeof backupProcedures &
  typeof domainTuningProcedures &
  typeof hostInterfaceProcedures &
  typeof migrationProcedures &
  typeof nodeDeviceProcedures &
  typeof nwfilterProcedures &
  typeof secretProcedures &
  typeof qemuProcedures;

/** Every procedure of this package, by name. */
export const procedures: Table = {
  ...authProcedures,
  ...connectionProcedures,
  ...eventRegistrationProcedures,
  ...nodeProcedures,
  ...domainLifecycleProcedures,
  ...domainInspectionProcedures,
  ...domainDevicesProcedures,
  ...domainGuestProcedures,
  ...snapshotProcedures,
  ...storagePoolProcedures,
  ...storageVolumeProcedures,
  ...networkProcedures,
  ...backupProcedures,
  ...domainTuningProcedures,
  ...hostInterfaceProcedures,
  ...migrationProcedures,
  ...nodeDeviceProcedures,
  ...nwfilterProcedures,
  ...secretProcedures,
  ...qemuProcedures,
};

const table: Readonly<Record<string, ProcedureEntry>> = procedures;

/** Name of a procedure, such as `domainGetState`. */
export type ProcedureName = keyof Table;

/** Names of the procedures that open a stream. */
export type StreamProcedureName = {
  [Name in ProcedureName]: Table[Name] extends { stream: string } ? Name : never;
}[ProcedureName];

type MayBeLeftOut<Payload> = Omit<Payload, DefaultedName> & {
  [Name in keyof Payload & DefaultedName]?: Payload[Name] | undefined;
};

/**
 * Arguments of a procedure, by field name. What nearly every caller passes alike may be left out: `flags`, `needResults`, and how many
 * results there is room for.
 */
export type ArgsOf<Name extends ProcedureName> = MayBeLeftOut<PayloadOf<Table[Name]['args']>>;

/** Procedures that return typed parameters in a field `params`. */
export type ParameterProcedureName = {
  [Name in ProcedureName]: Table[Name]['ret'] extends { params: `param[${number}]` | `nodeStat[${number}]` }
    ? Name
    : never;
}[ProcedureName];

/** What a procedure returns, by field name. */
export type ReturnOf<Name extends ProcedureName> = PayloadOf<Table[Name]['ret']>;

/** A procedure that is ready to be called. */
export interface Procedure extends Omit<ProcedureEntry, 'args' | 'ret' | 'program'> {
  readonly name: string;
  /** Number of its program. */
  readonly program: number;
  readonly args: Codec<Readonly<Record<string, unknown>>>;
  readonly ret: Codec<Readonly<Record<string, unknown>>>;
}

const prepared = new Map<string, Procedure>();

/**
 * Looks a procedure up.
 * @throws TypeError when the table has no such name.
 */
export function procedureOf(name: string): Procedure {
  const known = prepared.get(name);
  if (known) return known;
  const entry = entryOf(name);
  if (!entry) throw new TypeError(`procedure ${name} is not known; see the tables in src/procedures`);
  const procedure = {
    ...entry,
    name,
    program: entry.program === 'qemu' ? Program.QEMU : Program.REMOTE,
    args: argumentsCodec(name, entry),
    ret: payloadCodec(entry.ret),
  };
  prepared.set(name, procedure);
  return procedure;
}

/** Whether a call may take as long as a guest or a disk takes. A name that is not known is left for {@link procedureOf} to refuse. */
export function isSlow(name: string): boolean {
  const entry = entryOf(name);
  return entry?.slow === true && entry.stream === undefined;
}

function entryOf(name: string): ProcedureEntry | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
