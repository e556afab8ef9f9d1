import { WarmvmError } from '@warmvm/core/driver';
import { hostLost } from './errors.ts';
import type { HostConnection, Hypervisor } from './host.ts';

/** A driver's way to its host: connects at the first call, and again after a loss once the host is back. */
export class Link {
  readonly #host: Hypervisor;
  readonly #closing = new AbortController();
  #connection: HostConnection | undefined;
  #abandoned = false;

  constructor(host: Hypervisor) {
    this.#host = host;
  }

  /** Aborted when the driver is disposed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** True while nothing can be done on the host through this link. */
  get down(): boolean {
    return this.#abandoned || !this.#host.reachable || (this.#connection?.lost.aborted ?? false);
  }

  /** @throws WarmvmError WARMVM_HOST_UNREACHABLE before the first connection, WARMVM_HOST_LOST after */
  open(): HostConnection {
    const connection = this.#connection;
    if (connection !== undefined && !connection.lost.aborted) return connection;
    if (this.#abandoned) throw hostLost(this.#host.name);
    try {
      this.#connection = this.#host.connect();
    } catch (error) {
      if (connection === undefined) throw error;
      throw hostLost(this.#host.name, {}, error);
    }
    return this.#connection;
  }

  /** Calls under way give up; new ones are refused. */
  close(): void {
    this.#closing.abort(
      new WarmvmError('WARMVM_HOST_LOST', `The driver of host ${this.#host.name} is disposed`, {
        details: { host: this.#host.name, disposed: true },
        cause: new Error('driver disposed'),
      }),
    );
  }

  /** Drops the connection in an orderly way. */
  disconnect(): void {
    this.#connection?.close();
  }

  /** Breaks the connection for good, as the death of the process would. */
  abandon(): void {
    this.#abandoned = true;
    this.#connection?.cut();
  }
}
