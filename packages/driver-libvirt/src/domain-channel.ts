import { type Clock, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import { type AgentRequestOptions, type StreamChannel, streamChannel } from '@warmvm/guest-agent';
import type { DomainRef, LibvirtStream } from '@warmvm/libvirt';
import type { AgentLine } from './agent-line.ts';
import { CHANNEL_NAME } from './domain-xml.ts';
import { isClosed, isInterruption, untilAborted } from './interruption.ts';
import type { Session } from './session.ts';

/** `virDomainChannelFlags`: take the channel over from a holder that is gone or forgotten. */
const CHANNEL_FORCE = 1;

interface Line {
  readonly stream: LibvirtStream;
  readonly channel: StreamChannel;
}

/** A line to a domain's agent port, opened anew after the connection to the host broke and came back. */
export class DomainChannel implements AgentLine {
  readonly ended: Promise<void>;
  readonly #session: Session;
  readonly #dom: DomainRef;
  readonly #clock: Clock;
  #line: Line | undefined;
  #opening: Promise<Line> | undefined;
  #isDisposed = false;
  #end: () => void = () => {};

  constructor(session: Session, dom: DomainRef, clock: Clock) {
    this.#session = session;
    this.#dom = dom;
    this.#clock = clock;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** @throws WARMVM_HOST_LOST, or what libvirt says of a domain that does not run */
  async open(signal?: AbortSignal): Promise<void> {
    this.#line = await twice(() => this.#connect(signal));
  }

  /** Opens the line now, so that its end is noticed; nobody waits for it. */
  reopen(): void {
    this.#current().catch(() => {});
  }

  resync(): void {
    this.#line?.channel.resync();
  }

  request(json: string, options: AgentRequestOptions): Promise<string> {
    return this.#over((channel) => channel.request(json, options), options.signal);
  }

  async drain(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    const options = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
    try {
      await this.#over((channel) => channel.drain(options), signal);
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      if (isWarmvmError(error, 'WARMVM_HOST_LOST')) throw error;
      return false;
    }
  }

  async #over<Value>(
    call: (channel: StreamChannel) => Promise<Value>,
    signal: AbortSignal | undefined,
  ): Promise<Value> {
    const line = await this.#within(signal);
    try {
      return await call(line.channel);
    } catch (error) {
      const cause = isWarmvmError(error) ? error.cause : undefined;
      if (!isClosed(cause)) throw error;
      throw silentGuest(await this.#session.afterBreak(cause, 'reach the guest agent', signal));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    const line = this.#line ?? (await this.#opening?.catch(() => undefined));
    if (line !== undefined) await close(line);
  }

  async #within(signal: AbortSignal | undefined): Promise<Line> {
    try {
      return await twice(() => untilAborted(this.#current(), signal));
    } catch (error) {
      throw silentGuest(error);
    }
  }

  async #current(): Promise<Line> {
    if (this.#line !== undefined) return this.#line;
    if (this.#isDisposed) {
      throw new WarmvmError('WARMVM_GUEST_UNRESPONSIVE', `the line to the guest agent of ${this.#dom.name} was closed`);
    }
    this.#opening ??= this.#connect(undefined).finally(() => {
      this.#opening = undefined;
    });
    this.#line = await this.#opening;
    if (this.#isDisposed) await close(this.#line);
    return this.#line;
  }

  async #connect(signal: AbortSignal | undefined): Promise<Line> {
    const limits = signal === undefined ? {} : { signal };
    const args = { dom: this.#dom, name: CHANNEL_NAME, flags: CHANNEL_FORCE };
    const stream = await this.#session.stream(
      `open the agent channel of ${this.#dom.name}`,
      (client) => client.openStream('domainOpenChannel', args, limits),
      limits,
    );
    const { duplex } = stream;
    const line: Line = { stream, channel: streamChannel(duplex, { clock: this.#clock }) };
    let isLost = false;
    duplex.once('error', (error) => {
      isLost = isClosed(error);
    });
    const onEnd = (): void => {
      // A line that went with its host says nothing of the guest.
      if (isLost) this.#forget(line);
      else this.#end();
    };
    duplex.once('end', onEnd).once('close', onEnd);
    return line;
  }

  #forget(line: Line): void {
    if (this.#line === line) this.#line = undefined;
  }
}

/** The first line may be over without our knowing it yet, or end alone while it is opened. */
async function twice<Result>(open: () => Promise<Result>): Promise<Result> {
  try {
    return await open();
  } catch (error) {
    if (!isInterruption(error)) throw error;
    return open();
  }
}

async function close({ stream, channel }: Line): Promise<void> {
  await channel[Symbol.asyncDispose]();
  await stream[Symbol.asyncDispose]();
}

/** A break of the connection that was mended is, for a call to a guest, an answer that did not come. */
export function silentGuest(error: unknown): unknown {
  if (!isInterruption(error)) return error;
  return new WarmvmError('WARMVM_GUEST_UNRESPONSIVE', `the guest agent's answer was lost: ${error.message}`, {
    retryable: true,
    cause: error,
    details: error.details,
  });
}
