import type { Duplex } from 'node:stream';
import type { WarmvmError } from '@warmvm/core/driver';
import { saidBy, sshError } from '../problem.ts';
import type { Hop } from './hop.ts';

/** A server may send lines of text before its version (RFC 4253, section 4.2); more of them than this are nobody's. */
const MOST_BYTES = 8_192;
/** What OpenSSH says before it hangs up on somebody whom it might let in at another time: too many at once, or a penalty (since 9.8). */
const NOT_NOW = /^(?:exceeded maxstartups|not allowed at this time)/i;

/** What a server says first, and with that whether it speaks ssh. Begin to listen before anybody reads. */
export class Greeting {
  #text = '';

  constructor(sock: Duplex) {
    const listen = (chunk: Buffer): void => {
      this.#text += chunk.toString('latin1', 0, MOST_BYTES);
      if (this.#text.length >= MOST_BYTES || this.isSsh) sock.off('data', listen);
    };
    sock.on('data', listen);
  }

  /** It has told its version. */
  get isSsh(): boolean {
    return /^SSH-/m.test(this.#text);
  }

  /** It was silent, or said that it takes nobody at the moment: of a connection that has ended this says that we were turned away. */
  get isRefusal(): boolean {
    return this.#text === '' || NOT_NOW.test(this.#text);
  }
}

/** The host ended the connection before it said anything that matters, as sshd does with those whom it takes at another time. */
export function turnedAway({ host, port }: Hop, cause: Error): WarmvmError {
  const remedy = 'see there whether sshd takes more connections at once (MaxStartups), or punishes this address';
  const message = `${host}:${port} hung up before it said who it is: ${saidBy(cause)}`;
  return sshError('turned-away', message, { host, port, remedy }, cause);
}
