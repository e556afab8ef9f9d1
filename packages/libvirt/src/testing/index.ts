/**
 * The daemon's end of the wire, for tests of what talks to libvirt. Only inside this repository: not published.
 *
 * @packageDocumentation
 */
export { encodePacket, MessageStatus, MessageType, type Packet, Program } from '../frame/index.ts';
export { type ProcedureName, procedureOf, procedures } from '../procedures/index.ts';
export { XdrReader } from '../xdr/index.ts';
export { ScriptedDaemon } from './scripted-daemon.ts';
