import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import { readBounded } from '../bounded-file.ts';
import { typeOfKey } from '../known-hosts/entry.ts';
import type { ParsedSshOptions } from '../options/parse-options.ts';
import type { SshProblem } from '../problem.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import type { Hop } from './hop.ts';
import { packed } from './wire.ts';

/** Why a key could not be offered. */
export interface KeyProblem {
  readonly problem: SshProblem;
  readonly message: string;
}

/** A private key that can sign. */
export interface PrivateKey {
  /** The public half as it is sent to servers. */
  readonly blob: Buffer;
  readonly key: KeyObject;
}

const LARGEST_KEY_BYTES = 65_536;
const MOST_ATTEMPTS = 3;
const PKCS8 = /^-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/m;

/** The public half of a key file, without asking anybody: from the file beside it, else from the key when it is not encrypted. */
export async function publicKeyOf(path: string): Promise<Buffer | undefined> {
  for (const file of [`${path}.pub`, path]) {
    const content = await readKey(file).catch(() => undefined);
    const line = content === undefined ? undefined : publicLine(content);
    if (line !== undefined) return line;
    const key = content === undefined ? undefined : parse(content);
    if (key !== undefined && 'blob' in key) return key.blob;
  }
  return undefined;
}

/** The certificate in a file. Undefined where there is none that is good for a user. */
export async function certificateOf(path: string): Promise<Certificate | undefined> {
  const content = await readKey(path, false).catch(() => undefined);
  const blob = content === undefined ? undefined : publicLine(content);
  const certificate = blob === undefined ? undefined : parseCertificate(blob);
  return certificate?.kind === 'user' ? certificate : undefined;
}

/** A private key ready to be used, or why not; undefined when there is none and nobody named it. */
export async function privateKeyOf(
  { path, isNamed }: Hop['identityFiles'][number],
  hop: Hop,
  secrets: Pick<ParsedSshOptions, 'passphrase'>,
): Promise<PrivateKey | KeyProblem | undefined> {
  let content: Buffer;
  try {
    content = await readKey(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' && !isNamed
      ? undefined
      : { problem: 'key-unusable', message: `key file ${path}: ${message}` };
  }
  if (publicLine(content) !== undefined) {
    return { problem: 'key-unusable', message: `${path} holds a public key, expected a private one` };
  }
  const key = parse(content);
  if ('blob' in key) return key;
  if (!/encrypted|passphrase/i.test(key.message)) {
    const isSecurityKey =
      /PRIVATE KEY/.test(content.toString('latin1')) && content.toString('latin1').includes(SECURITY_KEY);
    const why = isSecurityKey
      ? 'it is a security key, which only an ssh agent can use: add it with ssh-add'
      : key.message;
    return { problem: 'key-unusable', message: `key file ${path} cannot be read: ${why}` };
  }
  return unlocked(content, path, hop, secrets);
}

/** What the base64 of the key type `sk-` looks like at the place where it stands in a key file of OpenSSH. */
const SECURITY_KEY = 'AAAAGnNrLXNz';

async function unlocked(
  content: Buffer,
  path: string,
  { user, host, isBatch }: Hop,
  { passphrase }: Pick<ParsedSshOptions, 'passphrase'>,
): Promise<PrivateKey | KeyProblem> {
  const missing: KeyProblem = {
    problem: 'passphrase-missing',
    message: `key file ${path} is encrypted and there is no passphrase for it`,
  };
  if (passphrase === undefined || isBatch) return missing;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const phrase = await passphrase({ user, host, keyFile: path, attempt });
    if (phrase === undefined) return attempt === 1 ? missing : wrongPassphrase(path);
    const key = parse(content, phrase);
    if ('blob' in key) return key;
  }
  return wrongPassphrase(path);
}

function wrongPassphrase(path: string): KeyProblem {
  return { problem: 'passphrase-wrong', message: `the passphrase of key file ${path} is wrong` };
}

function parse(content: Buffer, passphrase?: string): PrivateKey | Error {
  try {
    const text = content.toString('latin1');
    if (PKCS8.test(text)) {
      if (passphrase === undefined && text.includes('ENCRYPTED')) return new Error('the key is encrypted');
      const key = createPrivateKey({
        key: content,
        format: 'pem',
        ...(passphrase === undefined ? {} : { passphrase }),
      });
      return { key, blob: blobOf(key) };
    }
    const found: unknown = ssh2.utils.parseKey(content, passphrase);
    const parsed = (Array.isArray(found) ? found[0] : found) as ParsedKey | Error;
    if (parsed instanceof Error) return parsed;
    if (!parsed.isPrivateKey()) return new Error('it is not a private key');
    if (parsed.type === 'ssh-dss')
      return new Error('servers take no DSA keys any more: make one with ssh-keygen -t ed25519');
    return { key: createPrivateKey(parsed.getPrivatePEM()), blob: parsed.getPublicSSH() };
  } catch (error) {
    return error as Error;
  }
}

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'nistp256', 'P-384': 'nistp384', 'P-521': 'nistp521' };

/** @throws RangeError for a kind of key that ssh does not have */
function blobOf(key: KeyObject): Buffer {
  const { kty, crv = '', x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' });
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
  const number = (text: string): Buffer => {
    const value = bytes(text);
    return packed((value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), value]) : value);
  };
  if (kty === 'RSA') return Buffer.concat([packed('ssh-rsa'), number(e), number(n)]);
  if (kty === 'OKP' && crv === 'Ed25519') return Buffer.concat([packed('ssh-ed25519'), packed(bytes(x))]);
  const curve = CURVES[crv];
  if (kty !== 'EC' || curve === undefined) throw new RangeError(`ssh has no keys of the kind ${kty} ${crv}`);
  const point = Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)]);
  return Buffer.concat([packed(`ecdsa-sha2-${curve}`), packed(curve), packed(point)]);
}

/** The key of a line `type base64 comment`. */
function publicLine(content: Buffer): Buffer | undefined {
  const [type, encoded] = content.toString('latin1').trim().split(/\s+/, 2);
  const blob = Buffer.from(encoded ?? '', 'base64');
  return type !== undefined && typeOfKey(blob) === type ? blob : undefined;
}

async function readKey(path: string, isSecret: boolean = !path.endsWith('.pub')): Promise<Buffer> {
  const { content, stats } = await readBounded(path, LARGEST_KEY_BYTES);
  // OpenSSH ignores such keys too: what others can read is not secret.
  if (isSecret && stats.uid === process.getuid?.() && (stats.mode & 0o077) !== 0) {
    throw new RangeError(`others may read it (mode ${(stats.mode & 0o777).toString(8)}); chmod 600 it`);
  }
  return content;
}
