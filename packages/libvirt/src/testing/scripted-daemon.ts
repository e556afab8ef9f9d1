import { type Duplex, duplexPair } from 'node:stream';
import { connect } from '../connection/connect.ts';
import type { Connection } from '../connection/contract.ts';
import type { ConnectOptions, Dial } from '../connection/options.ts';
import { encodePacket, type Header, MessageStatus, MessageType, type Packet, Program } from '../frame/index.ts';
import { type ProcedureName, procedureOf, type ReturnOf } from '../procedures/index.ts';
import type { DomainRef } from '../procedures/references.ts';
import { i32, optional, string, struct, XdrReader } from '../xdr/index.ts';

/** A domain for tests. */
export const testDomain: DomainRef = { name: 'test', uuid: new Uint8Array(16).fill(7), id: 1 };

const text = optional(string());
const none = optional(struct({}));
const errorCodec = struct({
  code: i32,
  domain: i32,
  message: text,
  level: i32,
  dom: none,
  str1: text,
  str2: text,
  str3: text,
  int1: i32,
  int2: i32,
  net: none,
});

/** Lets everything that is ready run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The daemon's end of one connection, played by a test. */
export class ScriptedDaemon {
  readonly socket: Duplex;
  readonly client: Duplex;
  readonly received: Packet[] = [];
  #bytes = Buffer.alloc(0);
  readonly #waiters: ((packet: Packet) => void)[] = [];

  constructor() {
    [this.socket, this.client] = duplexPair();
    this.socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.socket.on('error', () => {});
  }

  /** Dials this daemon. */
  readonly dial: Dial = () => Promise.resolve(this.client);

  /** The next packet of the client. */
  next(): Promise<Packet> {
    const packet = this.received.shift();
    if (packet) return Promise.resolve(packet);
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** Waits for a call of this procedure and gives its packet and arguments. */
  async expect(name: ProcedureName): Promise<Packet & { readonly args: Readonly<Record<string, unknown>> }> {
    const packet = await this.next();
    const { program, number, args } = procedureOf(name);
    if (packet.program !== program || packet.procedure !== number || packet.type !== MessageType.CALL) {
      throw new Error(`call of ${name} expected, got procedure ${packet.procedure} of type ${packet.type}`);
    }
    return { ...packet, args: args.decode(new XdrReader(packet.payload)) };
  }

  /** Answers a call. */
  reply<Name extends ProcedureName>(name: Name, { serial }: { serial: number }, value: ReturnOf<Name>): void {
    const { program, number, ret } = procedureOf(name);
    const header = { program, procedure: number, type: MessageType.REPLY, serial, status: MessageStatus.OK };
    this.send(encodePacket(header, (writer) => ret.encode(writer, value)));
  }

  /** Answers a call or ends a stream with an error. */
  fail(
    packet: Header,
    code: number,
    message: string | undefined = 'refused',
    type: number = MessageType.REPLY,
    systemErrorNumber = -1,
  ): void {
    const value = {
      code,
      domain: 12,
      message,
      level: 2,
      dom: undefined,
      str1: message,
      str2: undefined,
      str3: undefined,
      int1: systemErrorNumber,
      int2: -1,
      net: undefined,
    };
    const header = { ...packet, type, status: MessageStatus.ERROR };
    this.send(encodePacket(header, (writer) => errorCodec.encode(writer, value)));
  }

  /** Sends a stream packet. */
  stream(
    packet: Header,
    status: number,
    data: Uint8Array = new Uint8Array(0),
    type: number = MessageType.STREAM,
  ): void {
    this.send(encodePacket({ ...packet, type, status }, data));
  }

  /** Sends a lifecycle event. */
  lifecycle(callbackId: number, event: number, detail = 0, dom: DomainRef = testDomain): void {
    const header = { program: Program.REMOTE, procedure: 318, type: MessageType.MESSAGE, serial: 1, status: 0 };
    const codec = struct({ callbackId: i32, dom: procedureOf('domainCreateWithFlags').ret, event: i32, detail: i32 });
    const value = { callbackId, dom: { dom }, event, detail };
    this.send(encodePacket(header, (writer) => codec.encode(writer, value)));
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Answers the opening handshake. */
  async handshake(): Promise<void> {
    this.reply('authList', await this.expect('authList'), { types: [0] });
    this.reply('connectOpen', await this.expect('connectOpen'), {});
  }

  #onData(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 4 && this.#bytes.length >= this.#bytes.readUInt32BE(0)) {
      const length = this.#bytes.readUInt32BE(0);
      const bytes = this.#bytes.subarray(0, length);
      this.#bytes = this.#bytes.subarray(length);
      const packet = {
        program: bytes.readUInt32BE(4),
        procedure: bytes.readInt32BE(12),
        type: bytes.readInt32BE(16),
        serial: bytes.readUInt32BE(20),
        status: bytes.readInt32BE(24),
        payload: bytes.subarray(28),
      };
      const waiter = this.#waiters.shift();
      if (waiter) waiter(packet);
      else this.received.push(packet);
    }
  }
}

/** A connection and the daemon behind it, handshake done, without keepalive. */
export async function connected(
  options: Partial<ConnectOptions> = {},
): Promise<{ daemon: ScriptedDaemon; connection: Connection }> {
  const daemon = new ScriptedDaemon();
  const opening = connect({ uri: 'test:///default', dial: daemon.dial, keepalive: false, ...options });
  await daemon.handshake();
  return { daemon, connection: await opening };
}
