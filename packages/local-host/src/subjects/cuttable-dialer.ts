import type { Duplex } from 'node:stream';
import type { Dial } from '@warmvm/libvirt';

/** A way to a host that can be cut. */
export class CuttableDialer {
  readonly #dial: Dial;
  readonly #open = new Set<Duplex>();
  #isCut = false;

  constructor(dial: Dial) {
    this.#dial = dial;
  }

  /** Opens what the inner dialer opens, as long as the way is not cut. */
  readonly dial: Dial = async (options) => {
    this.#requireWay();
    const duplex = await this.#dial(options);
    this.#open.add(duplex);
    duplex.once('close', () => this.#open.delete(duplex));
    if (this.#isCut) duplex.destroy();
    this.#requireWay();
    return duplex;
  };

  /** Breaks what is open and lets nothing be opened, until what it returns is disposed. */
  cut(): AsyncDisposable {
    this.#isCut = true;
    for (const duplex of this.#open) duplex.destroy();
    return {
      [Symbol.asyncDispose]: async () => {
        this.#isCut = false;
      },
    };
  }

  #requireWay(): void {
    if (this.#isCut) throw new Error('the way to the host is cut');
  }
}
