import type { WarmvmError } from '@warmvm/core/driver';
import type { AgentChannel, AgentRequestOptions } from '@warmvm/guest-agent';

/** The part of a line's life that belongs to one generation of a machine, and that can be told why it is over. */
export class GenerationChannel implements AgentChannel {
  readonly #line: AgentChannel;
  readonly #running = new Set<AbortController>();
  #end: WarmvmError | undefined;

  constructor(line: AgentChannel) {
    this.#line = line;
  }

  /** Rejects what is under way and what is asked from now on: whoever ends it knows better than the line does. */
  end(error: WarmvmError): void {
    this.#end = error;
    for (const running of this.#running) running.abort(error);
  }

  async request(json: string, options: AgentRequestOptions): Promise<string> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#end !== undefined) throw this.#end;
    const running = new AbortController();
    const onAbort = (): void => running.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#running.add(running);
    try {
      return await this.#line.request(json, { ...options, signal: running.signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw this.#end ?? error;
    } finally {
      this.#running.delete(running);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  resync(): void {
    this.#line.resync?.();
  }
}
