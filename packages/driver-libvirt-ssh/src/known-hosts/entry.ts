import { createHmac } from 'node:crypto';
import { matchesList } from '../patterns.ts';

/** One line of a file of known hosts. */
export interface KnownHostEntry {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  /** Names as they stand there: patterns, or one hash. */
  readonly hosts: string;
  /** Such as `ssh-ed25519`. */
  readonly keyType: string;
  readonly key: Buffer;
}

/** Longer lines are passed over: no key is as long. */
const LONGEST_LINE = 65_536;

/** The entries of a file. Lines that are none are passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): readonly KnownHostEntry[] {
  const entries: KnownHostEntry[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.length > LONGEST_LINE ? undefined : parseLine(line, file, index + 1);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

function parseLine(text: string, file: string, line: number): KnownHostEntry | undefined {
  const words = text.trim().split(/[ \t\r]+/);
  if (words[0] === '' || words[0]?.startsWith('#')) return undefined;
  const marker = words[0]?.startsWith('@') ? words.shift()?.slice(1) : undefined;
  if (marker !== undefined && marker !== 'revoked' && marker !== 'cert-authority') return undefined;
  const [hosts, keyType, encoded] = words;
  if (hosts === undefined || keyType === undefined || encoded === undefined) return undefined;
  const key = Buffer.from(encoded, 'base64');
  return typeOfKey(key) === keyType ? { file, line, marker, hosts, keyType, key } : undefined;
}

/** The type that a key in ssh's own form names at its beginning. */
export function typeOfKey(key: Buffer): string | undefined {
  if (key.byteLength < 4) return undefined;
  const length = key.readUInt32BE(0);
  return length > 64 || key.byteLength < 4 + length ? undefined : key.toString('latin1', 4, 4 + length);
}

/** Whether an entry is about the host of this name, which is in lower case and `[name]:port` for other ports than 22. */
export function isAbout(entry: Pick<KnownHostEntry, 'hosts'>, name: string): boolean {
  if (entry.hosts.startsWith('|')) return isHashOf(entry.hosts, name);
  return matchesList(entry.hosts.toLowerCase().split(','), name) ?? false;
}

/** The hash of a name as `HashKnownHosts` writes it. */
export function hashOf(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

function isHashOf(hosts: string, name: string): boolean {
  const [, magic, salt] = hosts.split('|');
  return magic === '1' && salt !== undefined && hashOf(name, Buffer.from(salt, 'base64')) === hosts;
}
