import type { Client, ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import { certificateTypeOf, isCertificateType, parseCertificate } from './certificate.ts';
import { packed } from './wire.ts';

// The only file that knows what is inside of ssh2: it has no certificates, and no public way to add them (docs/decisions/0078). The version of ssh2 is exact.

/** A key or a certificate that is offered to a server, with the signer for it. */
export interface Identity {
  /** As it is sent to the server. */
  readonly blob: Buffer;
  /** The type of `blob`. */
  readonly type: string;
  /** The algorithm of the signature where the server is not asked for it. */
  readonly signatureAlgorithm: string;
  /** @returns the signature with its type before it */
  readonly sign: (data: Buffer, signatureAlgorithm: string) => Promise<Buffer>;
}

interface KexLists {
  readonly array: readonly string[];
}

interface Kex {
  readonly sessionID: Buffer;
  readonly negotiated: { serverHostKey: string };
  _hostKey?: Buffer;
}

interface Protocol {
  _offer: {
    readonly constructor: new (lists: object) => Protocol['_offer'];
    readonly lists: Record<'kex' | 'serverHostKey', KexLists> &
      Record<'cs' | 'sc', Record<'cipher' | 'mac' | 'compress' | 'lang', KexLists>>;
  };
  _kex: Kex | undefined;
  _kexinit: unknown;
  _queue: Buffer[] | undefined;
  readonly _authsQueue: string[];
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: {
    readonly write: { readonly allocStart: number; alloc(length: number): Buffer; finalize(packet: Buffer): Buffer };
  };
  authPK(user: string, key: ParsedKey, algorithm?: string, sign?: Sign): void;
}

type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;

const identities = new WeakMap<object, Identity>();
/** Any key will do: what is made from it passes for a key of ssh2. */
const TEMPLATE = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';

/** An agent that holds nothing but this one. */
export class OneIdentityAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #identity: Identity;

  constructor(identity: Identity) {
    super();
    this.#identity = identity;
  }

  override getIdentities(callback: (error: undefined, keys: ParsedKey[]) => void): void {
    const { type, blob } = this.#identity;
    const key = Object.create(ssh2.utils.parseKey(TEMPLATE) as ParsedKey, {
      type: { value: type },
      getPublicSSH: { value: () => blob },
    }) as ParsedKey;
    identities.set(key, this.#identity);
    callback(undefined, [key]);
  }

  override sign(_key: ParsedKey, data: Buffer, options: unknown, callback?: unknown): void {
    const done = (callback ?? options) as (error: Error | undefined, signature?: Buffer) => void;
    const { hash } = options as { readonly hash?: string };
    // What ssh2 negotiated for a plain RSA key; where it did not, it would take SHA-1.
    const algorithm = hash === 'sha256' ? 'rsa-sha2-256' : this.#identity.signatureAlgorithm;
    this.#identity.sign(data, algorithm).then(
      (signature) => done(undefined, signature),
      (error: unknown) => done(error as Error),
    );
  }
}

/** Gives a client certificates: call it right after `connect`, before anything was sent. */
export function addCertificates(client: Client, hostCertificateAlgorithms: readonly string[]): void {
  const protocol = (client as unknown as { _protocol: Protocol })._protocol;
  signWithIdentities(protocol);
  if (hostCertificateAlgorithms.length > 0) offerHostCertificates(protocol, hostCertificateAlgorithms);
}

/** Of a certificate the algorithm and the signature have different names, where ssh2 writes one name into both places. */
function signWithIdentities(protocol: Protocol): void {
  const original = protocol.authPK;
  protocol.authPK = function authPK(this: Protocol, user, key, negotiated, sign) {
    const identity = identities.get(key);
    if (identity === undefined) return original.call(this, user, key, negotiated, sign);
    const { blob, type, signatureAlgorithm } = identity;
    const plain = negotiated === 'rsa-sha2-256' ? negotiated : signatureAlgorithm;
    const algorithm = isCertificateType(type) ? certificateTypeOf(signatureAlgorithm) : plain;
    if (sign === undefined) return original.call(this, user, key, algorithm);
    const request = Buffer.concat([
      Buffer.from([50]),
      ...[user, 'ssh-connection', 'publickey'].map(packed),
      Buffer.from([1]),
      packed(algorithm),
      packed(blob),
    ]);
    sign(Buffer.concat([packed((this._kex as Kex).sessionID), request]), (signature) => {
      this._authsQueue.push('publickey');
      send(this, Buffer.concat([request, packed(signature)]));
    });
  };
}

function send(protocol: Protocol, payload: Buffer): void {
  const { write } = protocol._packetRW;
  const start = write.allocStart;
  const packet = write.alloc(payload.byteLength);
  packet.set(payload, start);
  const finished = write.finalize(packet);
  if (protocol._kexinit === undefined) {
    protocol._cipher.encrypt(finished);
  } else {
    protocol._queue ??= [];
    protocol._queue.push(finished);
  }
}

function offerHostCertificates(protocol: Protocol, algorithms: readonly string[]): void {
  const { constructor: Offer, lists } = protocol._offer;
  const plain = (of: Record<string, KexLists>): object =>
    Object.fromEntries(Object.entries(of).map(([name, { array }]) => [name, [...array]]));
  protocol._offer = new Offer({
    kex: [...lists.kex.array],
    serverHostKey: [...algorithms, ...lists.serverHostKey.array],
    cs: plain(lists.cs),
    sc: plain(lists.sc),
  });
  let present: Kex | undefined;
  Object.defineProperty(protocol, '_kex', {
    get: () => present,
    set(kex: Kex | undefined) {
      present = kex;
      if (kex !== undefined && isCertificateType(kex.negotiated.serverHostKey)) takeCertificate(kex);
    },
  });
}

/**
 * ssh2 compares the type of the key with what was negotiated, hashes the key, and then reads the key to verify the host's signature of that hash. The first two
 * are about the certificate, the last one about the key in it. A mistake in this order makes the signature wrong, so that the connection fails.
 */
function takeCertificate(kex: Kex): void {
  const negotiated = kex.negotiated.serverHostKey;
  const signature = negotiated.replace(/-cert-v01@openssh\.com$/, '');
  const type = signature.startsWith('rsa-') ? certificateTypeOf('ssh-rsa') : negotiated;
  let shown: Buffer | undefined;
  let isHashed = false;
  Object.defineProperty(kex.negotiated, 'serverHostKey', { get: () => (shown === undefined ? type : signature) });
  Object.defineProperty(kex, '_hostKey', {
    get() {
      if (shown === undefined || isHashed) return shown && (parseCertificate(shown)?.plainKey ?? shown);
      isHashed = true;
      return shown;
    },
    set(key: Buffer | undefined) {
      shown = key;
    },
  });
}
