import type { Duplex } from 'node:stream';
import type { CallOptions, Clock } from '@warmvm/core/driver';
import { createGuestAgent, type GuestAgent, type StreamChannel, streamChannel } from '@warmvm/guest-agent';

/** The way to one QEMU's guest agent. Dispose closes it. */
export interface AgentLink extends AsyncDisposable {
  readonly agent: GuestAgent;
  /** Resolves with the first answer of a guest that boots, asked once and not again. @throws WARMVM_GUEST_UNRESPONSIVE */
  firstAnswer(timeoutMs: number, options: CallOptions): Promise<void>;
}

/** Speaks to the agent over the stream, which it owns from now on. */
export function agentLink(stream: Duplex, clock: Clock): AgentLink {
  const channel: StreamChannel = streamChannel(stream, { clock });
  return {
    agent: createGuestAgent(channel, { clock }),
    firstAnswer: (timeoutMs, options) => createGuestAgent(channel, { clock, replyTimeoutMs: timeoutMs }).ping(options),
    [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
  };
}
