import type { Clock } from '../clock.ts';
import { LibvirtError, protocolError } from '../error.ts';
import { encodePacket, MessageStatus, MessageType, type Packet, setSerial } from '../frame/index.ts';
import type { Procedure } from '../procedures/index.ts';
import { XdrReader } from '../xdr/index.ts';
import { CallDeadlines } from './call-deadlines.ts';
import { type CallWait, type OpenCall, PendingCall, type ReplyHandler } from './pending-call.ts';
import { decodeRemoteError } from './remote-error.ts';
import type { Serials } from './serials.ts';

/** Calls that may wait for a free slot; more is a mistake of the caller, not load. */
export const maxQueuedCalls = 16_384;

/** What {@link Calls} needs of its connection. */
export interface CallsHost {
  readonly clock: Clock;
  readonly serials: Serials;
  readonly maxInFlight: number;
  /** Whether a packet may be written now. */
  readonly isBlocked: () => boolean;
  readonly write: (bytes: Uint8Array) => void;
}

/** Calls and their replies: a queue in order of arrival, a cap on what is in flight, deadlines and aborts. */
export class Calls {
  readonly #host: CallsHost;
  readonly #deadlines: CallDeadlines;
  readonly #queue = new Set<OpenCall>();
  readonly #sent = new Map<number, OpenCall>();
  #failure: LibvirtError | undefined;

  constructor(host: CallsHost) {
    this.#host = host;
    this.#deadlines = new CallDeadlines(host.clock);
  }

  /** Calls the daemon works on, those whose caller gave up included. */
  get inFlight(): number {
    return this.#sent.size;
  }

  /**
   * Makes a call.
   * @throws TypeError or RangeError on bad arguments, the signal's reason, or LibvirtError.
   */
  invoke<Result>(
    procedure: Procedure,
    args: Readonly<Record<string, unknown>>,
    wait: CallWait,
    handler: ReplyHandler<Result>,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      wait.signal?.throwIfAborted();
      if (this.#failure) throw this.#failure;
      if (this.#queue.size >= maxQueuedCalls) throw queueOverflow();
      const packet = encodeCall(procedure, args);
      const dueAt = this.#deadlines.dueIn(wait.timeoutMs);
      const onSettled = this.#onSettled;
      const call = new PendingCall({ procedure, packet, wait, dueAt, handler, resolve, reject, onSettled });
      this.#deadlines.add(call);
      this.#queue.add(call);
      this.pump();
    });
  }

  /** Sends what may be sent. */
  pump(): void {
    for (const call of this.#queue) {
      if (this.#sent.size >= this.#host.maxInFlight || this.#host.isBlocked()) return;
      this.#queue.delete(call);
      const serial = this.#host.serials.take();
      setSerial(call.packet, serial);
      this.#sent.set(serial, call);
      this.#host.write(call.packet);
    }
  }

  /**
   * Handles a reply packet.
   * @throws LibvirtError `LIBVIRT_PROTOCOL` when no such call is open: the two sides are out of step.
   */
  onReply(packet: Packet): void {
    const call = this.#sent.get(packet.serial);
    if (!call) throw protocolError(`reply with serial ${packet.serial}, which no call is waiting for`);
    const { procedure } = call;
    if (packet.program !== procedure.program || packet.procedure !== procedure.number) {
      throw protocolError(
        `reply of procedure ${packet.procedure} of program ${packet.program} to a call of ${procedure.name}`,
      );
    }
    this.#sent.delete(packet.serial);
    const isOk = packet.status === MessageStatus.OK;
    if (!isOk || !call.keepsSerial) this.#host.serials.release(packet.serial);
    try {
      if (isOk) call.resolveWith(decodeReply(call, packet), packet.serial);
      else if (packet.status === MessageStatus.ERROR)
        call.rejectWith(decodeRemoteError(packet.payload, procedure.name));
      else throw protocolError(`reply to ${procedure.name} with status ${packet.status}`);
    } catch (error) {
      call.rejectWith(error);
      // The daemon now believes in a stream that nobody here would ever end.
      if (call.keepsSerial && isOk) throw error;
    }
    this.pump();
  }

  /** Whether a packet belongs to a stream whose opening call is not answered yet. */
  isOpening(packet: Packet): boolean {
    const call = this.#sent.get(packet.serial);
    if (!call?.keepsSerial) return false;
    return packet.program === call.procedure.program && packet.procedure === call.procedure.number;
  }

  /** Ends all calls, queued or sent, and all later ones, with this error. */
  fail(error: LibvirtError): void {
    this.#failure ??= error;
    const calls = [...this.#queue, ...this.#sent.values()];
    this.#queue.clear();
    this.#sent.clear();
    this.#deadlines.stop();
    for (const call of calls) call.rejectWith(error);
  }

  /** Refuses new calls and gives up those that were not sent yet. */
  refuse(error: LibvirtError): void {
    this.#failure ??= error;
    const calls = [...this.#queue];
    this.#queue.clear();
    for (const call of calls) call.rejectWith(error);
  }

  /** A call that was sent keeps its slot and serial until the late reply: the daemon still works on it. */
  readonly #onSettled = (call: OpenCall): void => {
    this.#deadlines.delete(call);
    this.#queue.delete(call);
  };
}

function encodeCall(procedure: Procedure, args: Readonly<Record<string, unknown>>): Uint8Array {
  const { program, number, args: codec } = procedure;
  const header = { program, procedure: number, type: MessageType.CALL, serial: 0, status: MessageStatus.OK };
  return encodePacket(header, (writer) => codec.encode(writer, args));
}

function decodeReply(call: OpenCall, packet: Packet): Readonly<Record<string, unknown>> {
  const reader = new XdrReader(packet.payload);
  const value = call.procedure.ret.decode(reader);
  reader.end();
  return value;
}

function queueOverflow(): LibvirtError {
  return new LibvirtError('LIBVIRT_OVERFLOW', `${maxQueuedCalls} calls are waiting for their turn already`, {
    retryable: true,
  });
}
