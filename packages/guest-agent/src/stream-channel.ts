import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type Clock, isWarmvmError, setDeadline, systemClock, type Timer, WarmvmError } from '@warmvm/core/driver';
import type { AgentChannel, AgentRequestOptions, ReplyLimits } from './channel.ts';
import { requireInteger } from './check.ts';
import { type FramerEvent, ReplyFramer } from './reply-framer.ts';

/** 16 MiB for one answer and its wrapping: twelve million bytes of output or file, base64. */
const DEFAULT_MAX_REPLY_BYTES: number = 16 * 1024 * 1024 + 65_536;
/** A guest may send as fast as it likes; other guests get their turn after so much of one. */
const TURN_BYTES = 1_048_576;
/** A late answer of the real agent is at most 43 MiB (16 MiB of each stdout and stderr, base64): more is not an agent. */
const CUT_OFF_FACTOR = 4;

/** Options of {@link streamChannel}. */
export interface StreamChannelOptions {
  /** Measures the time an answer may take. @default systemClock */
  readonly clock?: Clock;
  /**
   * Longest answer that is taken, 1024 or more. The stream is destroyed when four times as many bytes came without an answer
   * that anybody waited for. @default 16842752
   */
  readonly maxReplyBytes?: number;
}

/** An {@link AgentChannel} over a byte stream. Dispose destroys the stream and rejects what waits. */
export interface StreamChannel extends AgentChannel, AsyncDisposable {
  resync(): void;
  /**
   * Resolves when the guest has read all that was written so far. A guest cannot pretend it: what it must answer is new and
   * random, and comes behind the rest.
   * @throws the signal's reason; WARMVM_GUEST_UNRESPONSIVE, WARMVM_HOST_PROTOCOL
   */
  drain(options: AgentRequestOptions): Promise<void>;
}

interface PendingRequest {
  /** Null: to get in step is all that was asked for. */
  readonly json: string | null;
  readonly limits: ReplyLimits | undefined;
  readonly resolve: (reply: string) => void;
  readonly reject: (reason: unknown) => void;
  stage: 'queued' | 'sync' | 'reply';
  release: () => void;
}

/**
 * Speaks to the agent over a byte stream, as a virtio-serial port's unix socket is one. Owns the stream from now on. One command
 * at a time; `guest-sync-delimited` at the start and after every timeout, abort and answer that made no sense, so that a late
 * answer never becomes the answer to another command. A WarmvmError that the stream is destroyed with is what calls reject with.
 *
 * @throws RangeError for a bad option
 */
export function streamChannel(duplex: Duplex, options: StreamChannelOptions = {}): StreamChannel {
  const maxReplyBytes = options.maxReplyBytes ?? DEFAULT_MAX_REPLY_BYTES;
  requireInteger('maxReplyBytes', maxReplyBytes, 1024, 2 ** 30);
  return new DuplexChannel(duplex, options.clock ?? systemClock, maxReplyBytes);
}

class DuplexChannel implements StreamChannel {
  readonly #duplex: Duplex;
  readonly #clock: Clock;
  readonly #maxReplyBytes: number;
  readonly #framer: ReplyFramer;
  readonly #queue: PendingRequest[] = [];
  #current: PendingRequest | undefined;
  #synced = false;
  #syncId = 0;
  #syncWrittenLast = false;
  /** Agents of another make know only the undelimited one. */
  #syncCommand: 'guest-sync-delimited' | 'guest-sync' = 'guest-sync-delimited';
  #turnBytes = 0;
  #lost: WarmvmError | undefined;

  constructor(duplex: Duplex, clock: Clock, maxReplyBytes: number) {
    this.#duplex = duplex;
    this.#clock = clock;
    this.#maxReplyBytes = maxReplyBytes;
    this.#framer = new ReplyFramer(maxReplyBytes);
    duplex.on('error', (error) => this.#lose(error));
    duplex.on('end', () => this.#lose(undefined));
    duplex.on('close', () => this.#lose(undefined));
    duplex.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    if (duplex.destroyed) this.#lose(duplex.errored ?? undefined);
  }

  request(json: string, options: AgentRequestOptions): Promise<string> {
    return this.#enqueue(json, options);
  }

  async drain(options: AgentRequestOptions): Promise<void> {
    await this.#enqueue(null, options);
  }

  #enqueue(json: string | null, options: AgentRequestOptions): Promise<string> {
    const { signal, timeoutMs, limits } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#lost !== undefined) return reject(this.#lost);
      const onAbort = (): void => this.#abandon(request, signal?.reason);
      const timer: Timer = setDeadline(
        this.#clock,
        () => this.#abandon(request, unresponsive(timeoutMs, request.stage)),
        timeoutMs,
      );
      const request: PendingRequest = {
        json,
        limits,
        resolve,
        reject,
        stage: 'queued',
        release: () => {
          timer.cancel();
          signal?.removeEventListener('abort', onAbort);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(request);
      this.#startNext();
    });
  }

  resync(): void {
    this.#synced = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lose(undefined);
    this.#duplex.destroy();
  }

  #startNext(): void {
    if (this.#current !== undefined || this.#lost !== undefined) return;
    this.#current = this.#queue.shift();
    if (this.#current === undefined) return;
    if (this.#synced && this.#current.json !== null) this.#sendCommand(this.#current, this.#current.json);
    else this.#sendSync(this.#current);
  }

  #sendCommand(request: PendingRequest, json: string): void {
    request.stage = 'reply';
    this.#framer.expectReply(request.limits);
    this.#syncWrittenLast = false;
    this.#duplex.write(`${json}\n`);
  }

  #sendSync(request: PendingRequest): void {
    request.stage = 'sync';
    // A guest that reads nothing must not make the unsent bytes grow with each attempt: the sync that waits there will do.
    const waits = this.#syncWrittenLast && this.#duplex.writableLength > 0;
    // Never one that the guest could guess: an answer proves that it has read what came before.
    if (!waits) this.#syncId = randomInt(2 ** 31);
    this.#framer.expectSync(this.#syncId);
    if (waits) return;
    this.#syncWrittenLast = true;
    // The delimiter in front makes the agent drop what is left of a command that was cut.
    const text = JSON.stringify({ execute: this.#syncCommand, arguments: { id: this.#syncId } });
    this.#duplex.write(Buffer.concat([Buffer.of(0xff), Buffer.from(`${text}\n`)]));
  }

  #receive(chunk: Uint8Array): void {
    if (this.#turnBytes === 0) {
      setImmediate(() => {
        this.#turnBytes = 0;
        this.#duplex.resume();
      });
    }
    const part = chunk.subarray(0, TURN_BYTES - this.#turnBytes);
    this.#turnBytes += part.length;
    if (this.#turnBytes === TURN_BYTES) this.#duplex.pause();
    if (part.length < chunk.length) this.#duplex.unshift(chunk.subarray(part.length));
    this.#read(part);
  }

  #read(chunk: Uint8Array): void {
    if (this.#lost !== undefined) return;
    this.#handle(this.#framer.push(chunk));
    if (this.#framer.bytesSinceReply > this.#maxReplyBytes * CUT_OFF_FACTOR) {
      this.#duplex.destroy(new Error('The guest sends bytes without end that answer nothing.'));
    } else this.#startNext();
  }

  #handle(event: FramerEvent): void {
    const request = this.#current;
    if (event.kind === 'more') return;
    if (event.kind === 'unasked' || request === undefined) {
      this.#synced = false;
    } else if (event.kind === 'too-long') {
      this.#abandon(request, replyTooLong(event.limitBytes));
    } else if (event.kind === 'sync-refused') {
      this.#syncOtherwise(request);
    } else if (event.kind === 'synced') {
      this.#synced = !event.surplus;
      if (event.surplus) this.#abandon(request, bytesAfterSync());
      else if (request.json === null) this.#settle(request, '');
      else this.#sendCommand(request, request.json);
    } else {
      this.#synced = !event.surplus;
      this.#settle(request, event.text);
    }
  }

  #syncOtherwise(request: PendingRequest): void {
    if (this.#syncCommand === 'guest-sync') {
      this.#abandon(request, cannotSync());
    } else {
      this.#syncCommand = 'guest-sync';
      this.#sendSync(request);
    }
  }

  #settle(request: PendingRequest, reply: string): void {
    this.#current = undefined;
    request.release();
    request.resolve(reply);
  }

  #abandon(request: PendingRequest, reason: unknown): void {
    request.release();
    if (request === this.#current) {
      this.#current = undefined;
      this.#synced = false;
      this.#framer.expectNothing();
    } else {
      this.#queue.splice(this.#queue.indexOf(request), 1);
    }
    request.reject(reason);
    this.#startNext();
  }

  #lose(cause: unknown): void {
    if (this.#lost !== undefined) return;
    const lost = isWarmvmError(cause) ? cause : channelLost(cause);
    this.#lost = lost;
    const waiting = this.#current === undefined ? this.#queue.splice(0) : [this.#current, ...this.#queue.splice(0)];
    this.#current = undefined;
    this.#framer.expectNothing();
    for (const request of waiting) {
      request.release();
      request.reject(lost);
    }
    this.#duplex.destroy();
  }
}

function unresponsive(timeoutMs: number, stage: PendingRequest['stage']): WarmvmError {
  return new WarmvmError('WARMVM_GUEST_UNRESPONSIVE', `The guest agent did not answer within ${timeoutMs} ms.`, {
    retryable: true,
    details: { timeoutMs, stage, sent: stage === 'reply' },
  });
}

function channelLost(cause: unknown): WarmvmError {
  return new WarmvmError('WARMVM_GUEST_UNRESPONSIVE', 'The channel to the guest agent is closed.', {
    details: { lost: true },
    ...(cause === undefined ? {} : { cause }),
  });
}

function replyTooLong(limitBytes: number): WarmvmError {
  return new WarmvmError('WARMVM_HOST_PROTOCOL', `An answer of the guest agent is longer than ${limitBytes} bytes.`, {
    details: { malformed: 'reply too long', limitBytes },
  });
}

function cannotSync(): WarmvmError {
  return new WarmvmError('WARMVM_NOT_SUPPORTED', 'The guest agent knows neither guest-sync-delimited nor guest-sync.', {
    details: { command: 'guest-sync' },
  });
}

function bytesAfterSync(): WarmvmError {
  return new WarmvmError('WARMVM_HOST_PROTOCOL', 'The guest agent sent more than the answer to guest-sync-delimited.', {
    details: { malformed: 'bytes after the answer to guest-sync-delimited' },
  });
}
