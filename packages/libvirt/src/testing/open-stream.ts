import type { Connection } from '../connection/contract.ts';
import type { ConnectOptions } from '../connection/options.ts';
import type { Packet } from '../frame/index.ts';
import type { ArgsOf } from '../procedures/index.ts';
import type { LibvirtStream } from '../streams/stream.ts';
import { connected, testDomain as dom, type ScriptedDaemon } from './scripted-daemon.ts';

const vol = { pool: 'p', name: 'v', key: '/p/v' };
/** Arguments of a volume stream. */
export const volume = (flags: number): ArgsOf<'storageVolDownload'> => ({ vol, offset: 0n, length: 0n, flags });

/** Both ends of an open stream. */
export interface OpenStream {
  readonly daemon: ScriptedDaemon;
  readonly connection: Connection;
  /** The call that opened it. */
  readonly call: Packet;
  readonly stream: LibvirtStream;
}

/** A stream that is open, and both ends of it. */
export async function opened<
  Name extends 'storageVolDownload' | 'storageVolUpload' | 'domainOpenConsole' | 'domainOpenChannel',
>(name: Name, flags = 0, options: Partial<ConnectOptions> = {}): Promise<OpenStream> {
  const { daemon, connection } = await connected(options);
  const args = name.startsWith('domain') ? { dom, flags } : volume(flags);
  const opening = connection.openStream(name, args as never);
  const call = await daemon.expect(name);
  daemon.reply(name, call, {} as never);
  return { daemon, connection, call, stream: (await opening) as LibvirtStream };
}

/** Payload of a hole. */
export const hole = (length: bigint, flags = 0): Buffer => {
  const bytes = Buffer.alloc(12);
  bytes.writeBigInt64BE(length);
  bytes.writeUInt32BE(flags, 8);
  return bytes;
};

/** Everything a stream carries. */
export async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
