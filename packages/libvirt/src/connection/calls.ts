import type { Clock } from '../clock.ts';
import { LibvirtError, protocolError } from '../error.ts';
import { encodePacket, MessageStatus, MessageType, type Packet, setSerial } from '../frame/index.ts';
import { timeoutError, watchWait } from '../guard.ts';
import type { Procedure } from '../procedures/index.ts';
import { XdrReader } from '../xdr/index.ts';
import { decodeRemoteError } from './remote-error.ts';
import type { Serials } from './serials.ts';

/** Calls that may wait for a free slot; more is a mistake of the caller, not load. */
export const maxQueuedCalls = 16_384;

/** What a reply with status ok becomes. */
export interface ReplyHandler<Result> {
  /** Runs while the reply is handled, before any later packet. Its second value tells that it keeps the serial. */
  readonly accept: (value: Readonly<Record<string, unknown>>, serial: number) => Result;
  /** Whether the serial stays in use after the reply, as it does for streams. */
  readonly keepsSerial?: boolean;
  /** Undoes what `accept` made when nobody waits for it any more. */
  readonly discard?: (result: Result) => void;
}

/** What {@link Calls} needs of its connection. */
export interface CallsHost {
  readonly clock: Clock;
  readonly serials: Serials;
  readonly maxInFlight: number;
  /** Whether a packet may be written now. */
  readonly isBlocked: () => boolean;
  readonly write: (bytes: Uint8Array) => void;
}

interface PendingCall {
  readonly procedure: Procedure;
  readonly packet: Uint8Array;
  isSettled: boolean;
  readonly resolveWith: (value: Readonly<Record<string, unknown>>, serial: number) => void;
  readonly rejectWith: (error: unknown) => void;
  readonly keepsSerial: boolean;
}

/** Calls and their replies: a queue in order of arrival, a cap on what is in flight, deadlines and aborts. */
export class Calls {
  readonly #host: CallsHost;
  readonly #queue = new Set<PendingCall>();
  readonly #sent = new Map<number, PendingCall>();
  #failure: LibvirtError | undefined;

  constructor(host: CallsHost) {
    this.#host = host;
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
    wait: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number },
    handler: ReplyHandler<Result>,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      wait.signal?.throwIfAborted();
      if (this.#failure) throw this.#failure;
      if (this.#queue.size >= maxQueuedCalls) throw queueOverflow();
      const header = { ...procedure, procedure: procedure.number, type: MessageType.CALL, status: MessageStatus.OK };
      const packet = encodePacket({ ...header, serial: 0 }, (writer) => procedure.args.encode(writer, args));
      const settle = (): void => {
        call.isSettled = true;
        stopWatching();
      };
      const call: PendingCall = {
        procedure,
        packet,
        isSettled: false,
        keepsSerial: handler.keepsSerial ?? false,
        resolveWith(value, serial) {
          const result = handler.accept(value, serial);
          if (call.isSettled) {
            handler.discard?.(result);
            return;
          }
          settle();
          resolve(result);
        },
        rejectWith(error) {
          if (call.isSettled) return;
          settle();
          reject(error);
        },
      };
      const stopWatching = watchWait(this.#host.clock, wait, (reason, isTimeout) => {
        // A call that was sent keeps its slot and serial until the late reply: the daemon still works on it.
        this.#queue.delete(call);
        call.rejectWith(isTimeout ? timeoutError(procedure.name, wait.timeoutMs) : reason);
      });
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
    for (const call of calls) call.rejectWith(error);
  }

  /** Refuses new calls and gives up those that were not sent yet. */
  refuse(error: LibvirtError): void {
    this.#failure ??= error;
    const calls = [...this.#queue];
    this.#queue.clear();
    for (const call of calls) call.rejectWith(error);
  }
}

function decodeReply(call: PendingCall, packet: Packet): Readonly<Record<string, unknown>> {
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
