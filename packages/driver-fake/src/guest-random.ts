import { createHash } from 'node:crypto';

/** The guest kernel's random number generator. A clone draws what the original would have drawn, until one is reseeded. */
export class GuestRandom {
  #key: Uint8Array;
  #blocks = 0;

  constructor(seed: Uint8Array) {
    this.#key = createHash('sha256').update(seed).digest();
  }

  /** Bytes as from `/dev/urandom`. */
  draw(length: number): Uint8Array {
    const drawn = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += 32) {
      const block = createHash('sha256').update(this.#key).update(String(this.#blocks)).digest();
      this.#blocks += 1;
      drawn.set(block.subarray(0, Math.min(32, length - offset)), offset);
    }
    return drawn;
  }

  /** Mixes fresh bytes into the key. */
  reseed(seed: Uint8Array): void {
    this.#key = createHash('sha256').update(this.#key).update(seed).digest();
  }

  /** An independent generator in the same state. */
  clone(): GuestRandom {
    const copy = new GuestRandom(new Uint8Array());
    copy.#key = this.#key;
    copy.#blocks = this.#blocks;
    return copy;
  }
}
