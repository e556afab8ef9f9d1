import { type Clock, sleep, WarmvmError } from '@warmvm/core/driver';
import {
  type AgentChannel,
  type AgentRequestOptions,
  createGuestAgent,
  type GuestAgent,
  refusalReply,
} from '@warmvm/guest-agent';
import { type DomainRef, ErrorNumber, isLibvirtError } from '@warmvm/libvirt';
import { DomainChannel, silentGuest } from './domain-channel.ts';
import type { Mark } from './mark.ts';
import type { Session } from './session.ts';

/** The way to one domain's guest agent. Dispose closes it; the agent stays. */
export interface AgentLink extends AsyncDisposable {
  readonly agent: GuestAgent;
  /** Resolves with the first answer of a guest that boots, asked once and not again. @throws WARMVM_GUEST_UNRESPONSIVE */
  firstAnswer(timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** Told when the guest was thrown back under the link: what comes next answers nothing that was asked before. */
  resync(): void;
  /** From now on, and for what is under way, calls to the guest reject with this, whatever the line says. */
  fail(error: WarmvmError): void;
  /** Told when the connection to the host is there again after it broke, and this way with it. */
  reopen(): void;
  /** Resolves when the other end has gone: with a stream of our own, that is the first sign of a QEMU that died. */
  readonly ended: Promise<void>;
}

/** How soon the daemon is asked again for an agent that it does not see yet, where its event does not come. */
const RETRY_DELAY_MS = 100;

/** Opens the way that the domain was made for. */
export async function openAgentLink(
  session: Session,
  dom: DomainRef,
  transport: Mark['agentTransport'],
  clock: Clock,
  signal?: AbortSignal,
): Promise<AgentLink> {
  if (transport === 'libvirt') return daemonLink(session, dom, clock);
  const channel = new DomainChannel(session, dom, clock);
  await channel.open(signal);
  const line = new FailingChannel(channel);
  return {
    ...agentOver(line, clock),
    resync: () => channel.resync(),
    fail: (error) => line.fail(error),
    reopen: () => channel.reopen(),
    ended: channel.ended,
    [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
  };
}

/** A channel that can be told why it no longer works: whoever ends it knows better than the line does. */
class FailingChannel implements AgentChannel {
  readonly #inner: AgentChannel;
  #failure: WarmvmError | undefined;

  constructor(inner: AgentChannel) {
    this.#inner = inner;
  }

  fail(error: WarmvmError): void {
    this.#failure ??= error;
  }

  async request(json: string, options: AgentRequestOptions): Promise<string> {
    options.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await this.#inner.request(json, options);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw this.#failure ?? error;
    }
  }

  resync(): void {
    this.#inner.resync?.();
  }
}

function daemonLink(session: Session, dom: DomainRef, clock: Clock): AgentLink {
  const line = new FailingChannel({
    request: async (json, options) => {
      try {
        return await requestThroughDaemon(session, dom, clock, json, options);
      } catch (error) {
        throw silentGuest(error);
      }
    },
  });
  return {
    ...agentOver(line, clock),
    resync: () => {},
    fail: (error) => line.fail(error),
    reopen: () => {},
    ended: new Promise(() => {}),
    async [Symbol.asyncDispose]() {},
  };
}

function agentOver(channel: AgentChannel, clock: Clock): Pick<AgentLink, 'agent' | 'firstAnswer'> {
  return {
    agent: createGuestAgent(channel, { clock }),
    firstAnswer: (timeoutMs, signal) =>
      createGuestAgent(channel, { clock, replyTimeoutMs: timeoutMs }).ping(signal === undefined ? {} : { signal }),
  };
}

async function requestThroughDaemon(
  session: Session,
  dom: DomainRef,
  clock: Clock,
  json: string,
  options: AgentRequestOptions,
): Promise<string> {
  const endsAt = clock.now() + options.timeoutMs;
  for (;;) {
    const leftMs = endsAt - clock.now();
    if (leftMs <= 0) {
      throw new WarmvmError('WARMVM_GUEST_UNRESPONSIVE', `the guest agent of ${dom.name} is not connected`, {
        retryable: true,
        details: { timeoutMs: options.timeoutMs },
      });
    }
    try {
      const args = { dom, cmd: json, timeout: Math.max(1, Math.ceil(leftMs / 1000)), flags: 0 };
      const limits = { timeoutMs: leftMs + 1000, ...(options.signal === undefined ? {} : { signal: options.signal }) };
      const { result } = await session.call('domainAgentCommand', args, `ask the agent of ${dom.name}`, limits);
      return result ?? '{"return":{}}';
    } catch (error) {
      const cause = error instanceof WarmvmError ? error.cause : undefined;
      if (isLibvirtError(cause, ErrorNumber.INTERNAL_ERROR)) return refusalReply(cause.message);
      if (!isLibvirtError(cause, ErrorNumber.AGENT_UNRESPONSIVE) || !/not connected/.test(cause.message)) throw error;
      await sleep(clock, Math.min(RETRY_DELAY_MS, leftMs), options.signal);
    }
  }
}
