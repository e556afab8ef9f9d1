import type { WarmvmError } from '@warmvm/core/driver';
import { createGuestAgent, type GuestAgent } from '@warmvm/guest-agent';
import type { DomainRef } from '@warmvm/libvirt';
import type { AgentLine } from './agent-line.ts';
import { DaemonLine } from './daemon-line.ts';
import { DomainChannel } from './domain-channel.ts';
import { GenerationChannel } from './generation-channel.ts';
import type { Mark } from './mark.ts';
import type { ParsedOptions } from './options.ts';
import type { Session } from './session.ts';

/** How long a guest has to show that it has read everything. After that, a new QEMU is as quick. */
const DRAIN_TIMEOUT_MS = 500;

type LinkOptions = Pick<ParsedOptions, 'clock' | 'agentTimeoutMs'>;

/** The guest agent of one domain, generation by generation. Dispose closes the way to it; the agent stays. */
export class AgentLink implements AsyncDisposable {
  readonly #line: AgentLine;
  readonly #options: LinkOptions;
  #present: { readonly channel: GenerationChannel; readonly agent: GuestAgent };

  private constructor(line: AgentLine, options: LinkOptions) {
    this.#line = line;
    this.#options = options;
    this.#present = this.#begin();
  }

  /** Opens the way that the domain was made for. */
  static async open(
    { session, options }: { readonly session: Session; readonly options: LinkOptions },
    dom: DomainRef,
    transport: Mark['agentTransport'],
    signal?: AbortSignal,
  ): Promise<AgentLink> {
    const { clock } = options;
    if (transport === 'libvirt') return new AgentLink(new DaemonLine(session, dom, clock), options);
    const channel = new DomainChannel(session, dom, clock);
    await channel.open(signal);
    return new AgentLink(channel, options);
  }

  /** The agent of the present generation. */
  get agent(): GuestAgent {
    return this.#present.agent;
  }

  /** See {@link AgentLine.ended}. */
  get ended(): Promise<void> {
    return this.#line.ended;
  }

  /**
   * Resolves with the first answer of a guest that boots, asked once and not again. `option` names what sets the time.
   * @throws WARMVM_GUEST_UNRESPONSIVE
   */
  firstAnswer(timeoutMs: number, option: keyof ParsedOptions, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const times = { replyTimeoutMs: timeoutMs, replyTimeoutOption: option };
    const agent = createGuestAgent(this.#present.channel, { clock, ...times });
    return agent.ping(signal === undefined ? {} : { signal });
  }

  /** Ends this generation: calls to its guest reject with this, those that are under way too. */
  end(error: WarmvmError): void {
    this.#present.channel.end(error);
  }

  /** See {@link AgentLine.drain}. */
  drain(signal?: AbortSignal): Promise<boolean> {
    return this.#line.drain(DRAIN_TIMEOUT_MS, signal);
  }

  /** Begins the next generation, on a guest that was thrown back under the line. */
  renew(): void {
    this.#line.resync();
    this.#present = this.#begin();
  }

  /** See {@link AgentLine.reopen}. */
  reopen(): void {
    this.#line.reopen();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#line[Symbol.asyncDispose]();
  }

  #begin(): { readonly channel: GenerationChannel; readonly agent: GuestAgent } {
    const channel = new GenerationChannel(this.#line);
    const { clock, agentTimeoutMs: replyTimeoutMs } = this.#options;
    return {
      channel,
      agent: createGuestAgent(channel, { clock, replyTimeoutMs, replyTimeoutOption: 'agentTimeoutMs' }),
    };
  }
}
