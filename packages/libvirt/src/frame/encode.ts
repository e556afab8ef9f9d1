import { XdrWriter } from '../xdr/writer.ts';
import { type Header, maxPacketBytes, prefixBytes, programVersion } from './header.ts';

/**
 * Makes one packet: length word, header, and the payload: what a function appends, or raw stream data.
 * @throws RangeError when the payload does not fit into a packet.
 */
export function encodePacket(header: Header, payload?: Uint8Array | ((writer: XdrWriter) => void)): Uint8Array {
  const data = payload instanceof Uint8Array ? payload : undefined;
  const writer = new XdrWriter(maxPacketBytes, prefixBytes + (data?.byteLength ?? 228));
  writer.u32(prefixBytes);
  writer.u32(header.program);
  writer.u32(programVersion);
  writer.i32(header.procedure);
  writer.i32(header.type);
  writer.u32(header.serial);
  writer.i32(header.status);
  if (data) writer.unpadded(data);
  else if (typeof payload === 'function') payload(writer);
  writer.patchU32(0, writer.lengthBytes);
  return writer.finish();
}

/** Overwrites the serial of an encoded packet. */
export function setSerial(packet: Uint8Array, serial: number): void {
  packet[20] = serial >>> 24;
  packet[21] = serial >>> 16;
  packet[22] = serial >>> 8;
  packet[23] = serial;
}
