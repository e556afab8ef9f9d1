import { type CallOptions, type Clock, isWarmvmError, WarmvmError } from '@warmvm/core/driver';
import type { AgentChannel, AgentRequestOptions, ReplyLimits } from './channel.ts';
import { type Decode, decodeReply, excerpt, Malformed } from './reply.ts';

/** Far more than what an agent says of itself, its clock or its network. */
const DEFAULT_LIMITS: ReplyLimits = { maxBytes: 1_048_576 };

/** Options of one command. */
export interface AgentCallOptions extends CallOptions {
  /** @default the agent's `replyTimeoutMs` */
  readonly timeoutMs?: number;
  /** @default an answer of at most 1 MiB */
  readonly limits?: ReplyLimits;
}

/** The time limits of a client, and the name under which a person sets them. */
export interface CallerLimits {
  readonly replyTimeoutMs: number;
  readonly replyTimeoutOption: string;
  readonly cleanupTimeoutMs: number;
}

/** Makes commands and reads their answers; what all parts of the client share. */
export class AgentCaller {
  readonly clock: Clock;
  /** How long undoing what was begun (close, kill, thaw) may keep a call from settling. */
  readonly cleanupTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly #replyTimeoutOption: string;
  readonly #channel: AgentChannel;

  constructor(channel: AgentChannel, clock: Clock, limits: CallerLimits) {
    this.#channel = channel;
    this.clock = clock;
    this.replyTimeoutMs = limits.replyTimeoutMs;
    this.#replyTimeoutOption = limits.replyTimeoutOption;
    this.cleanupTimeoutMs = limits.cleanupTimeoutMs;
  }

  /**
   * @param parameters an object, or JSON text where a number does not fit a JavaScript number
   * @throws the signal's reason; WARMVM_GUEST_UNRESPONSIVE, WARMVM_GUEST_EXEC_FAILED, WARMVM_NOT_SUPPORTED, WARMVM_HOST_PROTOCOL
   */
  async call<T>(
    command: string,
    parameters: object | string | undefined,
    decode: Decode<T>,
    options: AgentCallOptions = {},
  ): Promise<T> {
    const { signal, timeoutMs = this.replyTimeoutMs, limits = DEFAULT_LIMITS } = options;
    const request: AgentRequestOptions = { timeoutMs, limits, ...(signal === undefined ? {} : { signal }) };
    const text = await this.#channel.request(commandText(command, parameters), request).catch((error: unknown) => {
      throw isSilence(error) ? this.unanswered(command, timeoutMs, error) : error;
    });
    try {
      return decodeReply(command, text, decode);
    } catch (cause) {
      if (!(cause instanceof Malformed)) throw cause;
      this.#channel.resync?.();
      throw malformedReply(command, text, cause);
    }
  }

  /** The error of an answer that did not come in time: it names the option that rules the wait. */
  unanswered(command: string, timeoutMs: number, cause: unknown): WarmvmError {
    const option = this.#replyTimeoutOption;
    const details = isWarmvmError(cause) ? cause.details : {};
    return new WarmvmError(
      'WARMVM_GUEST_UNRESPONSIVE',
      `The guest agent did not answer ${command} within ${timeoutMs} ms. If the guest is merely slow, raise ${option} (now ${this.replyTimeoutMs}).`,
      { retryable: true, details: { ...details, command, timeoutMs, option }, cause },
    );
  }
}

/** Whether the channel waited in vain. A channel that is lost has its own words. */
function isSilence(error: unknown): boolean {
  return isWarmvmError(error, 'WARMVM_GUEST_UNRESPONSIVE') && error.details.timeoutMs !== undefined;
}

function commandText(command: string, parameters: object | string | undefined): string {
  if (parameters === undefined) return JSON.stringify({ execute: command });
  const text = typeof parameters === 'string' ? parameters : JSON.stringify(parameters);
  return `{"execute":${JSON.stringify(command)},"arguments":${text}}`;
}

function malformedReply(command: string, text: string, cause: Malformed): WarmvmError {
  return new WarmvmError('WARMVM_HOST_PROTOCOL', `Malformed answer to ${command}: ${cause.message}`, {
    details: { command, malformed: cause.message, excerpt: excerpt(text) },
    cause,
  });
}
