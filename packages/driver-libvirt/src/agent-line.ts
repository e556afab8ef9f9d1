import type { AgentChannel } from '@warmvm/guest-agent';

/** A way to the agent of one domain, which stays through resets. Dispose closes it; the agent stays. */
export interface AgentLine extends AgentChannel, AsyncDisposable {
  /**
   * True when the guest is known to have read all that was written to it, so that no command of one generation can be read by
   * the next. False where that cannot be known.
   * @throws WARMVM_HOST_LOST; or the signal's reason
   */
  drain(timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
  /** Told when the guest was thrown back: what comes next answers nothing that was asked before. */
  resync(): void;
  /** Told when the connection to the host is there again after it broke, and this way with it. */
  reopen(): void;
  /** Resolves when the other end has gone: with a stream of our own, that is the first sign of a QEMU that died. */
  readonly ended: Promise<void>;
}
