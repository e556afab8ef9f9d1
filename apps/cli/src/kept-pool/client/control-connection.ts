import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WarmvmError } from '@warmvm/core/driver';
import { errorFromWire } from '../protocol/error-wire.ts';
import { dataFrame, type Frame, FrameReader, messageFrame, ProtocolViolation } from '../protocol/frame.ts';
import { INPUT_WINDOW_BYTES, MOST_PIECE_BYTES, PROTOCOL_VERSION } from '../protocol/limits.ts';
import type { CallUpdate, Reply, Request, Welcome } from '../protocol/messages.ts';
import { parseReply } from '../protocol/reply-check.ts';

type Body<Kind> = Kind extends { readonly call: number } ? Omit<Kind, 'call'> : never;
/** A request without its number. */
export type CallRequest = Body<Exclude<Request, CallUpdate>>;

/** What a call does besides asking. */
export interface CallOptions {
  /** Gives the call up; it rejects with the reason at once. */
  readonly signal?: AbortSignal | undefined;
  /** Told of data as it comes; the next is read when it resolves. What it throws gives the call up. */
  readonly onData?: (bytes: Uint8Array, kind: 'data' | 'errorData') => void | Promise<void>;
  /** Sends what belongs to the call, once it was asked. */
  readonly send?: (input: CallInput) => Promise<void>;
}

/** The sending side of a call. */
export interface CallInput {
  /** Fires when the call has ended: nobody wants more. */
  readonly ended: AbortSignal;
  /** Sends bytes as soon as the pool lets it. @throws the reason of `ended` */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that all was sent, or that the rest could not be read. */
  end(how: 'input-ended' | 'input-failed'): void;
}

interface OpenCall {
  readonly onData: CallOptions['onData'];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly ended: AbortController;
  /** Called when the pool has answered, or never will. */
  readonly settle: () => void;
  /** Input that may be sent now. */
  allowedBytes: number;
  onCredit: (() => void) | undefined;
}

/** A connection to the process that keeps a pool. */
export class ControlConnection {
  readonly welcome: Welcome;
  readonly #socket: Socket;
  readonly #calls = new Map<number, OpenCall>();
  readonly #lost = new AbortController();
  #lastCall = 0;
  /** Told of every event, once they were asked for. */
  onEvent: ((event: Extract<Reply, { type: 'event' }>['event']) => void) | undefined;

  private constructor(socket: Socket, frames: AsyncGenerator<Frame, void, undefined>, welcome: Welcome) {
    this.#socket = socket;
    this.welcome = welcome;
    void this.#read(frames);
  }

  /**
   * Connects and says hello.
   * @throws the error of the system when nobody listens; Error when the other side speaks otherwise; the signal's reason
   */
  static async open(path: string, signal?: AbortSignal): Promise<ControlConnection> {
    signal?.throwIfAborted();
    const socket = connect(path);
    const giveUp = (): void => void socket.destroy(signal?.reason as Error);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await once(socket, 'connect');
      socket.write(messageFrame({ type: 'hello', protocol: PROTOCOL_VERSION, pid: process.pid }));
      const frames = framesOf(socket);
      const first = await frames.next();
      if (first.done === true) throw new ProtocolViolation('the pool ended the connection without a word');
      const reply = replyOf(first.value);
      if (reply.type === 'refused') throw errorFromWire(reply.error);
      if (reply.type !== 'welcome' || reply.protocol !== PROTOCOL_VERSION) {
        throw new ProtocolViolation('whoever listens there does not speak as a pool does');
      }
      return new ControlConnection(socket, frames, reply);
    } catch (error) {
      socket.on('error', () => {});
      socket.destroy();
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Fires when the machine of this connection was taken away, or the pool is gone, with the error that says why. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Asks, and resolves with the answer. @throws what the pool says; the signal's reason; WARMVM_POOL_CLOSED when the pool is gone */
  call(request: CallRequest, options: CallOptions = {}): Promise<unknown> {
    return this.start(request, options).answer;
  }

  /** As {@link call}; `settled` resolves when the pool has done with the call, which is later where it was given up. */
  start(request: CallRequest, options: CallOptions = {}): { answer: Promise<unknown>; settled: Promise<void> } {
    const settled = Promise.withResolvers<void>();
    return { answer: this.#call(request, options, settled.resolve), settled: settled.promise };
  }

  async #call(request: CallRequest, { signal, onData, send }: CallOptions, settle: () => void): Promise<unknown> {
    if (signal?.aborted || this.#socket.destroyed) settle();
    signal?.throwIfAborted();
    if (this.#socket.destroyed) throw this.#lost.signal.reason;
    this.#lastCall += 1;
    const call = this.#lastCall;
    const ended = new AbortController();
    const answer = Promise.withResolvers<unknown>();
    const state: OpenCall = {
      ...answer,
      onData,
      ended,
      settle,
      allowedBytes: request.type === 'write' ? Number.POSITIVE_INFINITY : INPUT_WINDOW_BYTES,
      onCredit: undefined,
    };
    this.#calls.set(call, state);
    const giveUp = (reason: unknown): void => {
      if (ended.signal.aborted) return;
      this.#send({ type: 'cancel', call });
      answer.reject(reason);
    };
    const onAbort = (): void => giveUp(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#socket.write(messageFrame({ ...request, call }));
      send?.(this.#inputOf(call, state)).catch(giveUp);
      return await answer.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      ended.abort(new Error('the call has ended'));
    }
  }

  /** Ends the connection; whatever is lent goes back. */
  close(): void {
    this.#socket.destroy();
  }

  #end(call: number): OpenCall | undefined {
    const state = this.#calls.get(call);
    this.#calls.delete(call);
    state?.settle();
    return state;
  }

  #inputOf(call: number, state: OpenCall): CallInput {
    const ended = state.ended.signal;
    return {
      ended,
      write: async (bytes) => {
        for (let at = 0; at < bytes.byteLength; ) {
          while (state.allowedBytes === 0) await creditOf(state);
          ended.throwIfAborted();
          const piece = bytes.subarray(at, at + Math.min(MOST_PIECE_BYTES, state.allowedBytes));
          state.allowedBytes -= piece.byteLength;
          at += piece.byteLength;
          if (!this.#socket.write(dataFrame(call, piece))) await once(this.#socket, 'drain', { signal: ended });
        }
      },
      end: (type) => this.#send({ type, call }),
    };
  }

  #send(request: Request): void {
    if (!this.#socket.destroyed) this.#socket.write(messageFrame(request));
  }

  async #read(frames: AsyncGenerator<Frame, void, undefined>): Promise<void> {
    let reason: unknown;
    try {
      for await (const frame of frames) await this.#take(frame);
    } catch (error) {
      reason = error;
    }
    const { pool, pid } = this.welcome;
    const error = new WarmvmError('WARMVM_POOL_CLOSED', `the connection to pool ${pool} (process ${pid}) has ended`, {
      cause: reason,
    });
    this.#socket.on('error', () => {});
    this.#socket.destroy();
    this.#lost.abort(error);
    for (const call of this.#calls.values()) {
      call.reject(error);
      call.settle();
    }
    this.#calls.clear();
  }

  async #take(frame: Frame): Promise<void> {
    if (frame.kind !== 'message') {
      const call = this.#calls.get(frame.call);
      // What belongs to a call that was given up was under way.
      if (call === undefined || call.ended.signal.aborted) return;
      try {
        await call.onData?.(frame.bytes, frame.kind);
      } catch (error) {
        this.#send({ type: 'cancel', call: frame.call });
        call.reject(error);
      }
      return;
    }
    const reply = parseReply(frame.text);
    switch (reply.type) {
      case 'result':
        return this.#end(reply.call)?.resolve(reply.value);
      case 'failure':
        return this.#end(reply.call)?.reject(errorFromWire(reply.error));
      case 'credit': {
        const call = this.#calls.get(reply.call);
        if (call !== undefined) call.allowedBytes += reply.sizeBytes;
        return call?.onCredit?.();
      }
      case 'event':
        return this.onEvent?.(reply.event);
      case 'lost':
        return this.#lost.abort(errorFromWire(reply.error));
      case 'refused':
        throw errorFromWire(reply.error);
      case 'welcome':
        throw new ProtocolViolation('a second welcome');
    }
  }
}

/** Resolves when more may be sent, or the call has ended. */
function creditOf(state: OpenCall): Promise<void> {
  return new Promise((resolve, reject) => {
    const { signal } = state.ended;
    const onEnd = (): void => reject(signal.reason);
    if (signal.aborted) return onEnd();
    signal.addEventListener('abort', onEnd, { once: true });
    state.onCredit = () => {
      state.onCredit = undefined;
      signal.removeEventListener('abort', onEnd);
      resolve();
    };
  });
}

/** What comes on a socket; more is read when the last was taken. */
async function* framesOf(socket: Socket): AsyncGenerator<Frame, void, undefined> {
  const reader = new FrameReader();
  for await (const chunk of socket) yield* reader.push(chunk as Buffer);
  if (!reader.isBetweenFrames) throw new ProtocolViolation('the connection ended within a frame');
}

function replyOf(frame: Frame): Reply {
  if (frame.kind !== 'message') throw new ProtocolViolation('data before a welcome');
  return parseReply(frame.text);
}
