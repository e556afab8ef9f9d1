import type { Duplex } from 'node:stream';
import type { CallOptions } from '@warmvm/core/driver';
import { createGuestAgent, type GuestAgent, type StreamChannel, streamChannel } from '@warmvm/guest-agent';
import type { ParsedOptions } from './options.ts';

/** The way to one QEMU's guest agent. Dispose closes it. */
export interface AgentLink extends AsyncDisposable {
  readonly agent: GuestAgent;
  /** Resolves with the first answer of a guest that boots, asked once and not again. @throws WARMVM_GUEST_UNRESPONSIVE */
  firstAnswer(timeoutMs: number, options: CallOptions): Promise<void>;
}

/** Speaks to the agent over the stream, which it owns from now on. One option rules every answer, and errors name it. */
export function agentLink(
  stream: Duplex,
  { clock, agentTimeoutMs }: Pick<ParsedOptions, 'clock' | 'agentTimeoutMs'>,
): AgentLink {
  const channel: StreamChannel = streamChannel(stream, { clock });
  return {
    agent: createGuestAgent(channel, {
      clock,
      replyTimeoutMs: agentTimeoutMs,
      replyTimeoutOption: 'options.agentTimeoutMs',
    }),
    firstAnswer: (timeoutMs, options) =>
      createGuestAgent(channel, {
        clock,
        replyTimeoutMs: timeoutMs,
        replyTimeoutOption: 'options.bootTimeoutMs',
      }).ping(options),
    [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
  };
}
