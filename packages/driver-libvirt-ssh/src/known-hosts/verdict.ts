import { createHash } from 'node:crypto';
import { isAbout, type KnownHostEntry, typeOfKey } from './entry.ts';

/** What the files say of a key that a host has shown. */
export type Verdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'revoked'; readonly entry: KnownHostEntry }
  /** The host has another key of this type, or, for `known`, keys of other types alone. */
  | { readonly kind: 'changed'; readonly entry: KnownHostEntry }
  | { readonly kind: 'unknown'; readonly otherTypes: readonly KnownHostEntry[]; readonly hasAuthority: boolean };

/** The names under which a host is looked for, the first being the one to write down. */
export function namesOf(host: string, port: number, alias: string | undefined): readonly string[] {
  if (alias !== undefined) return [alias.toLowerCase()];
  const plain = host.toLowerCase();
  // An entry without a port is good for every port, as with OpenSSH.
  return port === 22 ? [plain] : [`[${plain}]:${port}`, plain];
}

/** Judges a key. Revocation outweighs everything; a right key outweighs wrong ones of other lines. */
export function judge(entries: readonly KnownHostEntry[], names: readonly string[], key: Buffer): Verdict {
  const type = typeOfKey(key);
  const about = entries.filter((entry) => names.some((name) => isAbout(entry, name)));
  const revoked = about.find(({ marker, key: known }) => marker === 'revoked' && known.equals(key));
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
  const plain = about.filter(({ marker }) => marker === undefined);
  if (plain.some(({ key: known }) => known.equals(key))) return { kind: 'known' };
  const [name = ''] = names;
  // What is written without a port belongs to another service of the host, so it can vouch for a key but not accuse one.
  const own = plain.filter((entry) => isAbout(entry, name));
  const other = own.find(({ keyType }) => keyType === type);
  if (other !== undefined) return { kind: 'changed', entry: other };
  return { kind: 'unknown', otherTypes: own, hasAuthority: about.some(({ marker }) => marker === 'cert-authority') };
}

/** What the files say of the authority that signed the key of a host. */
export function judgeAuthority(
  entries: readonly KnownHostEntry[],
  names: readonly string[],
  authority: Buffer,
): 'trusted' | 'unknown' | Extract<Verdict, { readonly kind: 'revoked' }> {
  const verdict = judge(entries, names, authority);
  if (verdict.kind === 'revoked') return verdict;
  const isTrusted = authoritiesOf(entries, names).some(({ key }) => key.equals(authority));
  return isTrusted ? 'trusted' : 'unknown';
}

/** Lines with `@cert-authority` that are about the host. */
export function authoritiesOf(entries: readonly KnownHostEntry[], names: readonly string[]): readonly KnownHostEntry[] {
  return entries.filter((entry) => entry.marker === 'cert-authority' && names.some((name) => isAbout(entry, name)));
}

/** As OpenSSH prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Signatures for keys of type ssh-rsa; the one with SHA-1 is not among them. */
const RSA = ['rsa-sha2-512', 'rsa-sha2-256'];
const ALL_TYPES = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'];

/** What to ask the server for where an authority may have signed its key. */
export function hostCertificateAlgorithms(
  entries: readonly KnownHostEntry[],
  names: readonly string[],
): readonly string[] {
  if (authoritiesOf(entries, names).length === 0) return [];
  return [...ALL_TYPES.filter((type) => type !== 'ssh-rsa'), ...RSA].map((type) => `${type}-cert-v01@openssh.com`);
}

/**
 * What to ask the server for: types of which a key is known come first, so that a host with several keys shows the one that
 * can be checked, instead of one that looks like a change.
 */
export function hostKeyAlgorithms(entries: readonly KnownHostEntry[], names: readonly string[]): readonly string[] {
  const known = new Set(
    entries
      .filter((entry) => entry.marker === undefined && names.some((name) => isAbout(entry, name)))
      .map(({ keyType }) => keyType),
  );
  const types = [...ALL_TYPES.filter((type) => known.has(type)), ...ALL_TYPES.filter((type) => !known.has(type))];
  return types.flatMap((type) => (type === 'ssh-rsa' ? RSA : [type]));
}
