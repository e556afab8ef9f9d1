import { type KeyObject, sign, verify } from 'node:crypto';

/** Reads the parts of what ssh packs into bytes. @throws RangeError where they end too early */
export class WireReader {
  readonly #bytes: Buffer;
  position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.position >= this.#bytes.byteLength;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  uint64(): bigint {
    return this.#take(8).readBigUInt64BE(0);
  }

  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  #take(length: number): Buffer {
    const end = this.position + length;
    if (end > this.#bytes.byteLength) throw new RangeError('the bytes end too early');
    const part = this.#bytes.subarray(this.position, end);
    this.position = end;
    return part;
  }
}

/** Bytes with their length before them. */
export function packed(value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.byteLength);
  return Buffer.concat([length, bytes]);
}

/** A number of ssh: without zeros before it, and with one where it would be negative. */
function packedNumber(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.byteLength - 1 && bytes[start] === 0) start += 1;
  const short = bytes.subarray(start);
  return packed((short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short);
}

/** The digest of a signature, and how many bytes a half of an elliptic one has. */
const SIGNATURES: Readonly<Record<string, { readonly digest: string | null; readonly half?: number }>> = {
  'ssh-ed25519': { digest: null },
  'rsa-sha2-256': { digest: 'sha256' },
  'rsa-sha2-512': { digest: 'sha512' },
  'ecdsa-sha2-nistp256': { digest: 'sha256', half: 32 },
  'ecdsa-sha2-nistp384': { digest: 'sha384', half: 48 },
  'ecdsa-sha2-nistp521': { digest: 'sha512', half: 66 },
};

/** A signature as ssh packs it. @param algorithm of the signature, such as `rsa-sha2-512` */
export function signatureOf(algorithm: string, key: KeyObject, data: Buffer): Buffer {
  const kind = SIGNATURES[algorithm];
  if (kind === undefined) throw new RangeError(`${algorithm} is not a signature that can be made here`);
  const { digest, half } = kind;
  if (half === undefined) return Buffer.concat([packed(algorithm), packed(sign(digest, data, key))]);
  const both = sign(digest, data, { key, dsaEncoding: 'ieee-p1363' });
  const numbers = Buffer.concat([packedNumber(both.subarray(0, half)), packedNumber(both.subarray(half))]);
  return Buffer.concat([packed(algorithm), packed(numbers)]);
}

/** Whether a packed signature of one of these algorithms is right. False for anything that is malformed. */
export function isSignedBy(signature: Buffer, algorithms: readonly string[], key: KeyObject, data: Buffer): boolean {
  try {
    const reader = new WireReader(signature);
    const algorithm = reader.text();
    const value = reader.bytes();
    const kind = algorithms.includes(algorithm) ? SIGNATURES[algorithm] : undefined;
    if (kind === undefined || !reader.isAtEnd) return false;
    const { digest, half } = kind;
    if (half === undefined) return verify(digest, data, key, value);
    const numbers = new WireReader(value);
    const both = Buffer.concat([padded(numbers.bytes(), half), padded(numbers.bytes(), half)]);
    return verify(digest, data, { key, dsaEncoding: 'ieee-p1363' }, both);
  } catch {
    return false;
  }
}

function padded(number: Buffer, length: number): Buffer {
  const short = number.byteLength > length ? number.subarray(number.byteLength - length) : number;
  return Buffer.concat([Buffer.alloc(length - short.byteLength), short]);
}
