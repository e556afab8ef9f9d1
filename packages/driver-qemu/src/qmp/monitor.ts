import type { Duplex } from 'node:stream';
import { type CallOptions, type Clock, setDeadline, type Timer, WarmvmError } from '@warmvm/core/driver';
import { LineSplitter } from './line-splitter.ts';
import { type QmpEvent, type QmpMessage, readMessage } from './message.ts';

/** Longer than any answer to what is asked here; `query-qmp-schema`, which nobody asks, has 160 KiB. */
const LONGEST_LINE_BYTES: number = 2 ** 20;

/** Options of {@link Monitor.execute}. */
export interface ExecuteOptions extends CallOptions {
  /** Longest wait for the answer, in milliseconds. */
  readonly timeoutMs: number;
  /** What the user calls that limit, for errors. @default none */
  readonly option?: string;
}

/** Told of every event, in the order QEMU sent them; it must not throw. */
export type EventListener = (event: QmpEvent) => void;

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  release: () => void;
}

/**
 * QEMU's machine protocol over a byte stream, which it owns from now on. Commands may be sent before QEMU has greeted: it
 * answers them in order. An abort or a timeout gives up waiting; the command may be carried out all the same.
 */
export class Monitor implements AsyncDisposable {
  /** QEMU's version, from its greeting; rejects as {@link closed} says when there was none. */
  readonly greeting: Promise<string>;
  /** Resolves once the stream has ended, with why. */
  readonly closed: Promise<WarmvmError>;
  readonly #duplex: Duplex;
  readonly #clock: Clock;
  readonly #onEvent: EventListener;
  readonly #splitter = new LineSplitter(LONGEST_LINE_BYTES);
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #end: WarmvmError | undefined;
  #greet: (version: string) => void = () => {};
  #close: (error: WarmvmError) => void = () => {};

  constructor(duplex: Duplex, clock: Clock, onEvent: EventListener) {
    this.#duplex = duplex;
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.greeting = new Promise((resolve, reject) => {
      this.#greet = resolve;
      void this.closed.then(reject);
    });
    this.greeting.catch(() => {});
    duplex.on('error', (error) => this.#lose(error));
    duplex.on('end', () => this.#lose());
    duplex.on('close', () => this.#lose());
    duplex.on('data', (chunk: Uint8Array) => this.#receive(chunk));
  }

  /** Why the stream has ended; undefined while it has not. Commands are rejected with this very error then. */
  get end(): WarmvmError | undefined {
    return this.#end;
  }

  /**
   * Sends one command.
   * @throws the signal's reason
   * @throws WARMVM_HOST_OPERATION when QEMU refuses it, or does not answer in time (`retryable`)
   * @throws WARMVM_MACHINE_GONE when the monitor has ended
   */
  execute(command: string, fields: Readonly<Record<string, unknown>>, options: ExecuteOptions): Promise<unknown> {
    const { signal, timeoutMs, option } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#end !== undefined) return reject(this.#end);
      this.#lastId += 1;
      const id = this.#lastId;
      const giveUp = (reason: unknown): void => this.#take(id)?.reject(reason);
      const onAbort = (): void => giveUp(signal?.reason);
      const timer: Timer = setDeadline(this.#clock, () => giveUp(unanswered(command, timeoutMs, option)), timeoutMs);
      const release = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, { command, resolve, reject, release });
      this.#duplex.write(`${JSON.stringify({ execute: command, arguments: fields, id })}\n`);
    });
  }

  /** Ends the stream; QEMU goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#lose();
  }

  #receive(chunk: Uint8Array): void {
    try {
      for (const line of this.#splitter.push(chunk)) if (line.trim() !== '') this.#handle(readMessage(line));
    } catch (error) {
      this.#lose(error);
    }
  }

  #handle(message: QmpMessage): void {
    if (message.kind === 'greeting') this.#greet(message.version);
    else if (message.kind === 'event') this.#onEvent({ event: message.event, data: message.data });
    else if (message.kind === 'result') this.#take(message.id)?.resolve(message.value);
    else if (message.id === undefined) this.#lose(new Error(`QEMU could not read a command: ${message.said}`));
    else {
      const pending = this.#take(message.id);
      pending?.reject(refused(pending.command, message.errorClass, message.said));
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.release();
    return pending;
  }

  #lose(cause?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = new WarmvmError('WARMVM_MACHINE_GONE', "the connection to QEMU's monitor has ended", {
      details: { monitor: 'closed' },
      ...(cause === undefined ? {} : { cause }),
    });
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(this.#end);
    this.#duplex.destroy();
    this.#close(this.#end);
  }
}

function refused(command: string, errorClass: string, said: string): WarmvmError {
  return new WarmvmError('WARMVM_HOST_OPERATION', `QEMU refused ${command}: ${said}`, {
    details: { command, errorClass, said },
  });
}

function unanswered(command: string, timeoutMs: number, option: string | undefined): WarmvmError {
  const remedy = option === undefined ? '' : `. If the host is merely slow, raise ${option}`;
  return new WarmvmError('WARMVM_HOST_OPERATION', `QEMU did not answer ${command} within ${timeoutMs} ms${remedy}`, {
    retryable: true,
    details: { command, timeoutMs, ...(option === undefined ? {} : { option }) },
  });
}
