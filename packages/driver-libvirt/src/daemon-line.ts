import { type Clock, sleep, WarmvmError } from '@warmvm/core/driver';
import { type AgentRequestOptions, refusalReply } from '@warmvm/guest-agent';
import { type DomainRef, ErrorNumber, isLibvirtError } from '@warmvm/libvirt';
import type { AgentLine } from './agent-line.ts';
import { silentGuest } from './domain-channel.ts';
import type { Session } from './session.ts';

/** How soon the daemon is asked again for an agent that it does not see yet, where its event does not come. */
const RETRY_DELAY_MS = 100;

/** The daemon speaks to the agent. */
export class DaemonLine implements AgentLine {
  readonly ended: Promise<void> = new Promise(() => {});
  readonly #session: Session;
  readonly #dom: DomainRef;
  readonly #clock: Clock;

  constructor(session: Session, dom: DomainRef, clock: Clock) {
    this.#session = session;
    this.#dom = dom;
    this.#clock = clock;
  }

  async request(json: string, options: AgentRequestOptions): Promise<string> {
    try {
      return await this.#ask(json, options);
    } catch (error) {
      throw silentGuest(error);
    }
  }

  /** What the daemon has written and the guest has not read, nobody can see. */
  async drain(): Promise<boolean> {
    return false;
  }

  resync(): void {}

  reopen(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  async #ask(json: string, options: AgentRequestOptions): Promise<string> {
    const clock = this.#clock;
    const dom = this.#dom;
    const endsAt = clock.now() + options.timeoutMs;
    for (;;) {
      const leftMs = endsAt - clock.now();
      if (leftMs <= 0) {
        throw unresponsive(`The guest agent of ${dom.name} was not connected`, options.timeoutMs);
      }
      try {
        const args = { dom, cmd: json, timeout: Math.max(1, Math.ceil(leftMs / 1000)), flags: 0 };
        const limits = {
          timeoutMs: leftMs + 1000,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        };
        const { result } = await this.#session.call('domainAgentCommand', args, `ask the agent of ${dom.name}`, limits);
        return result ?? '{"return":{}}';
      } catch (error) {
        const cause = error instanceof WarmvmError ? error.cause : undefined;
        if (isLibvirtError(cause) && cause.code === 'LIBVIRT_TIMEOUT') {
          throw unresponsive(`The guest agent of ${dom.name} did not answer`, options.timeoutMs, error);
        }
        if (isLibvirtError(cause, ErrorNumber.INTERNAL_ERROR)) return refusalReply(cause.message);
        if (!isLibvirtError(cause, ErrorNumber.AGENT_UNRESPONSIVE) || !cause.message.includes('not connected'))
          throw error;
        await sleep(clock, Math.min(RETRY_DELAY_MS, leftMs), options.signal);
      }
    }
  }
}

function unresponsive(what: string, timeoutMs: number, cause?: unknown): WarmvmError {
  return new WarmvmError(
    'WARMVM_GUEST_UNRESPONSIVE',
    `${what} within ${timeoutMs} ms (options agentTimeoutMs, and bootTimeoutMs for a boot)`,
    { retryable: true, details: { timeoutMs }, ...(cause === undefined ? {} : { cause }) },
  );
}
