import type { CallOptions } from '@warmvm/core/driver';

/** How much of an answer is kept. */
export interface ReplyLimits {
  /** A longer answer is refused. */
  readonly maxBytes: number;
  /** What a string of the answer has over this is dropped. A channel that cannot do so ignores it. @default nothing is dropped */
  readonly maxStringBytes?: number;
}

/** Options of {@link AgentChannel.request}. */
export interface AgentRequestOptions extends CallOptions {
  /** The whole time for the answer, waiting in a queue included. */
  readonly timeoutMs: number;
  /** @default whatever the channel carries */
  readonly limits?: ReplyLimits;
}

/**
 * Carries one command text to the guest agent and its answer back. Make one of a byte stream with `streamChannel`, or
 * write one over whatever else speaks to the agent (libvirt's `qemu-agent-command`).
 */
export interface AgentChannel {
  /**
   * Sends one JSON text without a line break and resolves with the JSON text of the answer to exactly this command,
   * `{"return":…}` or `{"error":…}`. A channel that learns of the agent's refusal some other way resolves with
   * {@link refusalReply}. May be called again before an answer has come; the channel keeps the order.
   *
   * @throws the signal's reason when aborted
   * @throws WARMVM_GUEST_UNRESPONSIVE when no answer came in time (`retryable`) or can never come
   */
  request(json: string, options: AgentRequestOptions): Promise<string>;
  /** Told when an answer made no sense: answers may belong to other commands now. Left out where that cannot happen. */
  resync?(): void;
}

/**
 * The agent's answer for a refusal that came as a plain sentence: libvirt turns the agent's `error` answers into errors
 * of its own and keeps only the description.
 */
export function refusalReply(description: string): string {
  const missing = /command \S* ?has (not been found|been disabled)/i.test(description);
  return JSON.stringify({ error: { class: missing ? 'CommandNotFound' : 'GenericError', desc: description } });
}
