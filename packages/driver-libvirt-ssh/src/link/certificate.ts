import { createPublicKey, type KeyObject } from 'node:crypto';
import type { ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import { typeOfKey } from '../known-hosts/entry.ts';
import { isSignedBy, packed, WireReader } from './wire.ts';

const SUFFIX = '-cert-v01@openssh.com';
/** Parts of a public key of each type. */
const KEY_PARTS: Readonly<Record<string, number>> = {
  'ssh-ed25519': 1,
  'ssh-rsa': 2,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
  'sk-ssh-ed25519@openssh.com': 2,
  'sk-ecdsa-sha2-nistp256@openssh.com': 3,
};
/** More names than any certificate is made for. */
const MOST_PRINCIPALS = 256;
/** Signatures that an authority of each type may give; the one of RSA with SHA-1 is not among them. */
const CA_SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
};

/** A certificate of OpenSSH: a key, for whom it is good, and who says so. */
export interface Certificate {
  readonly blob: Buffer;
  /** The type of the key in it, such as `ssh-ed25519`. */
  readonly keyType: string;
  /** The key in it, as it stands in files of known hosts. */
  readonly plainKey: Buffer;
  readonly kind: 'user' | 'host' | 'unknown';
  readonly id: string;
  readonly principals: readonly string[];
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly hasCriticalOptions: boolean;
  readonly authority: Buffer;
  readonly isSigned: boolean;
}

export function isCertificateType(type: string | undefined): boolean {
  return type?.endsWith(SUFFIX) ?? false;
}

/** The type of a certificate for keys or signatures of this one. Names of security keys have the suffix in their middle. */
export function certificateTypeOf(type: string): string {
  return `${type.replace(/@openssh\.com$/, '')}${SUFFIX}`;
}

/** Takes a certificate apart and checks its signature. Undefined for anything that is malformed. */
export function parseCertificate(blob: Buffer): Certificate | undefined {
  try {
    return parse(blob);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parse(blob: Buffer): Certificate | undefined {
  const type = typeOfKey(blob);
  if (type === undefined || !type.endsWith(SUFFIX)) return undefined;
  const bare = type.slice(0, -SUFFIX.length);
  const keyType = bare.startsWith('sk-') ? `${bare}@openssh.com` : bare;
  const count = KEY_PARTS[keyType];
  if (count === undefined) return undefined;
  const reader = new WireReader(blob);
  reader.bytes();
  reader.bytes();
  const parts = Array.from({ length: count }, () => reader.bytes());
  reader.uint64();
  const kind = reader.uint32();
  const id = reader.text();
  const names = new WireReader(reader.bytes());
  const principals: string[] = [];
  while (!names.isAtEnd) {
    if (principals.length >= MOST_PRINCIPALS) return undefined;
    principals.push(names.text());
  }
  const validAfter = reader.uint64();
  const validBefore = reader.uint64();
  const critical = reader.bytes();
  reader.bytes();
  reader.bytes();
  const authority = reader.bytes();
  const end = reader.position;
  const signature = reader.bytes();
  if (!reader.isAtEnd) return undefined;
  const authorityType = typeOfKey(authority);
  const authorityKey = publicKeyObject(authority);
  const algorithms = CA_SIGNATURES[authorityType ?? ''] ?? [];
  return {
    blob,
    keyType,
    plainKey: Buffer.concat([packed(keyType), ...parts.map(packed)]),
    kind: kind === 1 ? 'user' : kind === 2 ? 'host' : 'unknown',
    id,
    principals,
    validAfter,
    validBefore,
    hasCriticalOptions: critical.byteLength > 0,
    authority,
    isSigned: authorityKey !== undefined && isSignedBy(signature, algorithms, authorityKey, blob.subarray(0, end)),
  };
}

function publicKeyObject(blob: Buffer): KeyObject | undefined {
  const parsed: unknown = ssh2.utils.parseKey(blob);
  if (parsed instanceof Error) return undefined;
  try {
    return createPublicKey((parsed as ParsedKey).getPublicPEM());
  } catch {
    return undefined;
  }
}
