import { open } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import type { ParsedSshOptions } from '../options/parse-options.ts';
import type { SshProblem } from '../problem.ts';
import type { Hop } from './hop.ts';

/** Why a key could not be offered. */
export interface KeyProblem {
  readonly problem: SshProblem;
  readonly message: string;
}

const LARGEST_KEY_BYTES = 65_536;
const MOST_ATTEMPTS = 3;

/** The public half of a key file, without asking anybody: from the file beside it, else from the key when it is not encrypted. */
export async function publicKeyOf(path: string): Promise<ParsedKey | undefined> {
  for (const file of [`${path}.pub`, path]) {
    const content = await readKey(file).catch(() => undefined);
    const key = content === undefined ? undefined : parse(content);
    if (key !== undefined && !(key instanceof Error)) return key;
  }
  return undefined;
}

/** A private key ready to be used, or why not; undefined when there is none and nobody named it. */
export async function privateKeyOf(
  { path, isNamed }: Hop['identityFiles'][number],
  hop: Hop,
  secrets: Pick<ParsedSshOptions, 'passphrase'>,
): Promise<ParsedKey | KeyProblem | undefined> {
  let content: Buffer;
  try {
    content = await readKey(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' && !isNamed
      ? undefined
      : { problem: 'key-unusable', message: `key file ${path}: ${message}` };
  }
  const key = parse(content);
  if (!(key instanceof Error)) {
    return key.isPrivateKey()
      ? key
      : { problem: 'key-unusable', message: `${path} holds a public key, expected a private one` };
  }
  if (!/encrypted|passphrase/i.test(key.message)) {
    return { problem: 'key-unusable', message: `key file ${path} cannot be read: ${key.message}` };
  }
  return unlocked(content, path, hop, secrets);
}

async function unlocked(
  content: Buffer,
  path: string,
  { user, host, isBatch }: Hop,
  { passphrase }: Pick<ParsedSshOptions, 'passphrase'>,
): Promise<ParsedKey | KeyProblem> {
  const missing: KeyProblem = {
    problem: 'passphrase-missing',
    message: `key file ${path} is encrypted and there is no passphrase for it`,
  };
  if (passphrase === undefined || isBatch) return missing;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const phrase = await passphrase({ user, host, keyFile: path, attempt });
    if (phrase === undefined) return attempt === 1 ? missing : wrongPassphrase(path);
    const key = parse(content, phrase);
    if (!(key instanceof Error)) return key;
  }
  return wrongPassphrase(path);
}

function wrongPassphrase(path: string): KeyProblem {
  return { problem: 'passphrase-wrong', message: `the passphrase of key file ${path} is wrong` };
}

function parse(content: Buffer, passphrase?: string): ParsedKey | Error {
  const parsed: unknown = ssh2.utils.parseKey(content, passphrase);
  const [key] = Array.isArray(parsed) ? parsed : [parsed];
  return key as ParsedKey | Error;
}

async function readKey(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { size, mode, uid } = await handle.stat();
    if (size > LARGEST_KEY_BYTES) throw new RangeError(`it has ${size} bytes, expected a key`);
    // OpenSSH ignores such keys too: what others can read is no secret.
    if (!path.endsWith('.pub') && uid === process.getuid?.() && (mode & 0o077) !== 0) {
      throw new RangeError(`others may read it (mode ${(mode & 0o777).toString(8)}); chmod 600 it`);
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
