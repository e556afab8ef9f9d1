import type { Socket } from 'node:net';
import type { Clock, Lease, PoolEvent } from '@warmvm/core';
import { errorToWire } from '../protocol/error-wire.ts';
import { type Frame, FrameReader, ProtocolViolation } from '../protocol/frame.ts';
import { HELLO_WITHIN_MS, MOST_CALLS, MOST_FRAME_BYTES, PROTOCOL_VERSION } from '../protocol/limits.ts';
import type { CallUpdate, LeaseFacts, Request } from '../protocol/messages.ts';
import { parseRequest } from '../protocol/request-schema.ts';
import { drainFacts } from './drain-facts.ts';
import { LentCalls } from './lent-calls.ts';
import type { PoolHome } from './pool-home.ts';
import { Wire } from './wire.ts';

type Call = Exclude<Request, { type: 'hello' } | CallUpdate>;

/** Answers that may wait for a client which does not read them. */
const MOST_WAITING_BYTES = 8 * MOST_FRAME_BYTES;

/** Time in which a client must have read what it is told last. */
const LAST_WORDS_MS = 2_000;

/** One connection of a client. Its lease ends with it: no machine outlives its owner. */
export class Session {
  readonly #socket: Socket;
  readonly #home: PoolHome;
  readonly #wire: Wire;
  readonly #guestCalls: LentCalls;
  readonly #clock: Clock;
  readonly #gone = new AbortController();
  readonly #calls = new Map<number, AbortController>();
  readonly #running = new Set<Promise<void>>();
  /** Calls that are answered before the connection is ended from this side. */
  readonly #drains = new Set<Promise<void>>();
  #isGreeted = false;
  #pid: number | undefined;
  #isRefused = false;
  #lastCall = 0;
  #lease: Lease | 'asked' | undefined;
  /** Why the last machine was taken away. */
  #loss: unknown;

  constructor(socket: Socket, home: PoolHome, clock: Clock) {
    this.#socket = socket;
    this.#home = home;
    this.#clock = clock;
    this.#wire = new Wire(socket);
    this.#guestCalls = new LentCalls(this.#wire);
  }

  /** Process of the client, if it said so. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Slot whose machine the client has. */
  get heldSlot(): number | undefined {
    return this.#lease === 'asked' ? undefined : this.#lease?.slot;
  }

  /** Serves the connection. Resolves when it has ended and its machine was given back. */
  async serve(): Promise<void> {
    const frames = new FrameReader();
    const patience = this.#clock.setTimer(
      () => this.#isGreeted || this.#refuse(new ProtocolViolation('a connection that says nothing')),
      HELLO_WITHIN_MS,
      { hold: false },
    );
    await new Promise<void>((resolve) => {
      this.#socket.on('data', (chunk: Buffer) => {
        try {
          for (const frame of frames.push(chunk)) if (!this.#isRefused) this.#take(frame);
        } catch (error) {
          this.#refuse(error);
        }
      });
      // A client that sends no more is a client that is gone, though it may still read.
      this.#socket.once('end', () => this.#socket.destroy());
      this.#socket.on('error', () => this.#socket.destroy());
      this.#socket.once('close', () => resolve());
    });
    patience.cancel();
    this.#gone.abort(new Error('the client is gone'));
    await Promise.allSettled(this.#running);
    await this.#giveBack();
  }

  /** Ends the connection when what was sent has gone; a client that does not read is not waited for long. */
  end(): void {
    void Promise.all(this.#drains).then(() => this.#socket.destroySoon());
    const late = this.#clock.setTimer(() => this.#socket.destroy(), LAST_WORDS_MS);
    this.#socket.once('close', () => late.cancel());
  }

  #take(frame: Frame): void {
    if (frame.kind === 'errorData') throw new ProtocolViolation('standard error goes one way only');
    if (frame.kind === 'data') {
      const isAllowed = frame.call <= this.#lastCall && this.#guestCalls.takeData(frame.call, frame.bytes);
      if (!isAllowed) throw new ProtocolViolation('data that was not asked for');
      return;
    }
    const request = parseRequest(frame.text);
    if (request.type === 'hello') this.#greet(request);
    else if (!this.#isGreeted) throw new ProtocolViolation('a request before hello');
    else if (isUpdate(request)) this.#update(request);
    else this.#start(request);
  }

  #update({ type, call }: CallUpdate): void {
    if (type === 'cancel') this.#calls.get(call)?.abort(new Error('cancelled by the client'));
    else if (type === 'input-ended') this.#guestCalls.endInput(call);
    else this.#guestCalls.endInput(call, new Error('the client could not read the input'));
  }

  #greet({ protocol, pid }: Extract<Request, { type: 'hello' }>): void {
    if (this.#isGreeted) throw new ProtocolViolation('hello once is enough');
    if (protocol !== PROTOCOL_VERSION) {
      throw new ProtocolViolation(
        `this pool is kept by warmvm ${this.#home.welcome.version}, which speaks version ${PROTOCOL_VERSION} of the protocol, not ${protocol}: ` +
          'use the same version of warmvm on both sides',
      );
    }
    this.#isGreeted = true;
    this.#pid = pid;
    this.#wire.send(this.#home.welcome);
  }

  #start(request: Call): void {
    if (request.call <= this.#lastCall) throw new ProtocolViolation('numbers of calls only grow');
    if (this.#calls.size >= MOST_CALLS) throw new ProtocolViolation(`more than ${MOST_CALLS} calls at a time`);
    if (this.#wire.waitingBytes > MOST_WAITING_BYTES) throw new ProtocolViolation('answers are not read');
    this.#lastCall = request.call;
    const { call } = request;
    const controller = new AbortController();
    this.#calls.set(call, controller);
    const running = this.#answer(request, AbortSignal.any([this.#gone.signal, controller.signal]))
      .then((value) => this.#wire.send({ type: 'result', call, value: value ?? null }))
      .catch((error: unknown) => this.#wire.send({ type: 'failure', call, error: errorToWire(error) }))
      .finally(() => {
        this.#calls.delete(call);
        this.#running.delete(running);
        this.#drains.delete(running);
      });
    this.#running.add(running);
    if (request.type === 'drain') this.#drains.add(running);
  }

  async #answer(request: Call, signal: AbortSignal): Promise<unknown> {
    switch (request.type) {
      case 'status':
        return this.#home.status();
      case 'lease':
        return this.#lend(request.timeoutMs, signal);
      case 'return':
        return this.#return(request);
      case 'drain':
        return drainFacts(await this.#home.drain(request.graceMs));
      case 'events':
        return this.#tell(signal);
      default:
        return this.#guestCalls.run(this.#lent().guest, request, signal);
    }
  }

  async #lend(timeoutMs: number | undefined, signal: AbortSignal): Promise<LeaseFacts> {
    if (this.#lease !== undefined) throw new Error('a connection has one lease at a time');
    this.#lease = 'asked';
    try {
      const { pool, reach } = await this.#home.opened;
      const lease = await pool.acquire({
        signal,
        leaseMs: this.#home.leaseMs,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      this.#lease = lease;
      lease.signal.addEventListener('abort', () => this.#lose(lease), { once: true });
      const { machineId, host, slot, turn, generation } = lease;
      return { machineId, host, slot, turn, generation, reach: reach(machineId) ?? null };
    } finally {
      if (this.#lease === 'asked') this.#lease = undefined;
    }
  }

  #lose(lease: Lease): void {
    if (this.#lease !== lease) return;
    this.#lease = undefined;
    this.#loss = lease.signal.reason;
    this.#wire.send({ type: 'lost', error: errorToWire(this.#loss) });
  }

  #lent(): Lease {
    if (this.#lease === undefined || this.#lease === 'asked') {
      throw this.#loss ?? new Error('there is no lease on this connection');
    }
    return this.#lease;
  }

  async #return({ how, reason }: Extract<Request, { type: 'return' }>): Promise<unknown> {
    const lease = this.#lent();
    this.#lease = undefined;
    return how === 'discard' ? lease.discard(reason) : lease.release();
  }

  async #giveBack(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease !== undefined && lease !== 'asked') await lease.release();
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { pool } = await this.#home.opened;
    const events = pool.events();
    const stop = (): void => void events.return?.();
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (signal.aborted) return;
      for await (const event of events) {
        this.#wire.send({ type: 'event', event: plainEvent(event) });
        await this.#wire.room(signal);
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #refuse(error: unknown): void {
    this.#isRefused = true;
    this.#wire.send({ type: 'refused', error: errorToWire(error) });
    this.end();
  }
}

function isUpdate(request: Request): request is CallUpdate {
  return ['cancel', 'input-ended', 'input-failed'].includes(request.type);
}

/** An event as data: what JSON would make of an error is nothing. */
function plainEvent(event: PoolEvent): PoolEvent {
  const plain = (_key: string, value: unknown): unknown => (value instanceof Error ? errorToWire(value) : value);
  return JSON.parse(JSON.stringify(event, plain)) as PoolEvent;
}
