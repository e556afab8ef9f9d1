import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectedFault } from '@warmvm/driver-testkit';
import { tieTogether } from './cuttable-proxy.ts';

/** Numbers of procedures and message types in libvirt's `remote_protocol.x` and `virnetprotocol.x`. */
const DOMAIN_DESTROY = 12;
const DOMAIN_GET_STATE = 212;
const DOMAIN_OPEN_CHANNEL = 296;
const STORAGE_POOL_DEFINE_XML = 77;
const STORAGE_VOL_CREATE_XML = 93;
const [CALL, REPLY, MESSAGE] = [0, 1, 2];
const STATUS_ERROR = 1;
const OPERATION_FAILED = 9;
const FROM_QEMU = 10;
const LEVEL_ERROR = 2;
/** Length word, program, version, procedure, type, serial, status. */
const PREFIX_BYTES = 28;
const [PROCEDURE_AT, TYPE_AT, STATUS_AT] = [12, 16, 24];

const REFUSED: Readonly<Record<Exclude<InjectedFault, 'events'>, readonly number[]>> = {
  destroy: [DOMAIN_DESTROY],
  state: [DOMAIN_GET_STATE],
  adopt: [DOMAIN_OPEN_CHANNEL],
  // Whichever comes first: the pool may be there already.
  prepare: [STORAGE_POOL_DEFINE_XML, STORAGE_VOL_CREATE_XML],
};

interface Rule {
  readonly fault: InjectedFault;
  /** Bytes that a packet about the machine holds; empty for all. */
  readonly name: Buffer;
}

/** A socket in front of a libvirt daemon. It passes everything on, except the calls and events of its rules; the driver cannot notice. */
export class RefusingDaemon implements AsyncDisposable {
  readonly #server: Server;
  readonly #folder: string;
  readonly #sockets = new Set<Socket>();
  readonly #rules = new Set<Rule>();

  private constructor(folder: string, target: string) {
    this.#folder = folder;
    this.#server = createServer((near) => {
      const far = connect(target);
      tieTogether(near, far, this.#sockets);
      onPackets(near, (packet) => {
        const answer = this.#refusalOf(packet);
        if (answer === undefined) pass(packet, far, near);
        else near.write(answer);
      });
      onPackets(far, (packet) => {
        if (!this.#isKeptBack(packet)) pass(packet, near, far);
      });
    });
  }

  /** Listens before the daemon at this socket. */
  static async start(target: string): Promise<RefusingDaemon> {
    const folder = await mkdtemp(join(tmpdir(), 'wk-'));
    const daemon = new RefusingDaemon(folder, target);
    daemon.#server.listen(daemon.socketPath);
    await once(daemon.#server, 'listening');
    return daemon;
  }

  get socketPath(): string {
    return join(this.#folder, 'sock');
  }

  /** Refuses calls, or keeps events back, until what it returns is disposed. */
  refuse(fault: InjectedFault, machine?: string): AsyncDisposable {
    const rule = { fault, name: Buffer.from(machine ?? '') };
    this.#rules.add(rule);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#rules.delete(rule);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #refusalOf(packet: Buffer): Buffer | undefined {
    if (packet.readUInt32BE(TYPE_AT) !== CALL) return undefined;
    const procedure = packet.readUInt32BE(PROCEDURE_AT);
    const isRefused = [...this.#rules].some(
      ({ fault, name }) =>
        fault !== 'events' && REFUSED[fault].includes(procedure) && packet.includes(name, PREFIX_BYTES),
    );
    return isRefused ? refusal(packet) : undefined;
  }

  #isKeptBack(packet: Buffer): boolean {
    if (packet.readUInt32BE(TYPE_AT) !== MESSAGE) return false;
    return [...this.#rules].some(({ fault, name }) => fault === 'events' && packet.includes(name, PREFIX_BYTES));
  }
}

/** Hands each whole packet on; its first word is its length. */
function onPackets(socket: Socket, onPacket: (packet: Buffer) => void): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= PREFIX_BYTES && held.length >= held.readUInt32BE(0)) {
      const length = held.readUInt32BE(0);
      onPacket(held.subarray(0, length));
      held = held.subarray(length);
    }
  });
}

function pass(packet: Buffer, to: Socket, from: Socket): void {
  if (to.write(packet)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

/** The answer to a call: an error as `remote_error` has it. */
function refusal(call: Buffer): Buffer {
  const message = Buffer.from('refused for a test');
  const padding = Buffer.alloc((4 - (message.length % 4)) % 4);
  const error = Buffer.concat([
    words(OPERATION_FAILED, FROM_QEMU, 1, message.length),
    message,
    padding,
    // No machine, three texts that are not there, two numbers, no network.
    words(LEVEL_ERROR, 0, 0, 0, 0, 0, 0, 0),
  ]);
  const head = Buffer.from(call.subarray(0, PREFIX_BYTES));
  head.writeUInt32BE(PREFIX_BYTES + error.length, 0);
  head.writeUInt32BE(REPLY, TYPE_AT);
  head.writeUInt32BE(STATUS_ERROR, STATUS_AT);
  return Buffer.concat([head, error]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}
