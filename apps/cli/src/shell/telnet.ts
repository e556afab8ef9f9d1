/** What `telnetd -i` speaks on its standard input and output (RFC 854), as far as a terminal needs it. */
const IAC = 255;
const SE = 240;
const SB = 250;
const WILL = 251;
const DONT = 254;
const NAWS = 31;
const CR = 13;

/** Takes the protocol out of what the guest sends. Bytes may come in any pieces. */
export class TelnetDecoder {
  #state: 'data' | 'command' | 'option' | 'block' | 'block-command' = 'data';

  /** What is for the terminal. The guest's wishes need no answer: the window's size is told unasked. */
  decode(bytes: Uint8Array): Uint8Array {
    const text = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      if (this.#isText(byte)) {
        text[length] = byte;
        length += 1;
      }
    }
    return text.subarray(0, length);
  }

  #isText(byte: number): boolean {
    switch (this.#state) {
      case 'data':
        if (byte === IAC) this.#state = 'command';
        return byte !== IAC;
      case 'command':
        this.#state = byte === SB ? 'block' : byte >= WILL && byte <= DONT ? 'option' : 'data';
        return byte === IAC;
      case 'option':
        this.#state = 'data';
        return false;
      case 'block':
        if (byte === IAC) this.#state = 'block-command';
        return false;
      case 'block-command':
        this.#state = byte === SE ? 'data' : 'block';
        return false;
    }
  }
}

/** What was typed, as the guest expects it. */
export function encodeTyped(bytes: Uint8Array): Uint8Array {
  const encoded: number[] = [];
  for (const byte of bytes) {
    encoded.push(byte);
    if (byte === IAC) encoded.push(IAC);
    // A carriage return alone would swallow a byte after it.
    if (byte === CR) encoded.push(0);
  }
  return Uint8Array.from(encoded);
}

/** Tells the guest how large the window is. */
export function encodeWindow({ columns, rows }: { readonly columns: number; readonly rows: number }): Uint8Array {
  const size = [columns >> 8, columns, rows >> 8, rows].map((part) => part & 255);
  const doubled = size.flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte]));
  return Uint8Array.from([IAC, WILL, NAWS, IAC, SB, NAWS, ...doubled, IAC, SE]);
}
