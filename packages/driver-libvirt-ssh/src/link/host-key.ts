import type { Clock } from '@warmvm/core/driver';
import { typeOfKey } from '../known-hosts/entry.ts';
import { appendKnownHost, readKnownHosts } from '../known-hosts/files.ts';
import {
  fingerprintOf,
  hostCertificateAlgorithms,
  hostKeyAlgorithms,
  judge,
  judgeAuthority,
  type Verdict,
} from '../known-hosts/verdict.ts';
import { matchesPattern } from '../patterns.ts';
import { sshError } from '../problem.ts';
import { commandLine } from '../ways/remote-command.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import type { Hop } from './hop.ts';

/** What is known of a host's keys, read anew for each connection. */
export interface HostKeyCheck {
  /** What to ask the server for, the checkable first. */
  readonly algorithms: readonly string[];
  /** Those for certificates of the host; none where no authority is known. */
  readonly certificateAlgorithms: readonly string[];
  /** Resolves when the key or certificate may be trusted. @throws WARMVM_HOST_DENIED with the fingerprint and what to do */
  check(key: Buffer): Promise<void>;
}

/** Reads the files of known hosts. */
export async function hostKeyCheck(hop: Hop, clock: Pick<Clock, 'wallTimeMs'>): Promise<HostKeyCheck> {
  const entries = await readKnownHosts(hop.knownHostsFiles);
  return {
    algorithms: hostKeyAlgorithms(entries, hop.names),
    certificateAlgorithms: hostCertificateAlgorithms(entries, hop.names),
    async check(shown) {
      const certificate = parseCertificate(shown);
      const key = certificate?.plainKey ?? shown;
      let objection: string | undefined;
      if (certificate !== undefined) {
        const authority = judgeAuthority(entries, hop.names, certificate.authority);
        if (typeof authority === 'object') throw refusal(hop, certificate.authority, authority);
        const revoked = judge(entries, hop.names, key);
        if (revoked.kind === 'revoked') throw refusal(hop, key, revoked);
        objection = authority === 'unknown' ? 'its authority is not known' : objectionTo(certificate, hop, clock);
        if (objection === undefined) return;
      }
      // A certificate that is not good for this host leaves its key, which may be known by itself.
      const verdict = judge(entries, hop.names, key);
      if (verdict.kind === 'known') return;
      if (
        verdict.kind === 'unknown' &&
        !verdict.hasAuthority &&
        hop.hostKeys === 'accept-new' &&
        verdict.otherTypes.length === 0
      ) {
        const [file] = hop.knownHostsFiles;
        if (file !== undefined) await appendKnownHost(file, hop.names[0] ?? hop.host, key, hop.hashKnownHosts);
        return;
      }
      throw refusal(hop, key, verdict, objection);
    },
  };
}

/** What keeps a certificate from vouching for this host, as OpenSSH checks it; undefined for nothing. */
function objectionTo(certificate: Certificate, hop: Hop, clock: Pick<Clock, 'wallTimeMs'>): string | undefined {
  const now = BigInt(Math.floor(clock.wallTimeMs() / 1_000));
  const [alias] = hop.names;
  const name = (hop.hasAlias ? alias : hop.host)?.toLowerCase() ?? '';
  if (!certificate.isSigned) return 'its signature is wrong, or of a kind that is not taken';
  if (certificate.kind !== 'host') return 'it is not for a host';
  if (now < certificate.validAfter) return 'it is not valid yet';
  if (now >= certificate.validBefore) return 'it has expired';
  if (certificate.hasCriticalOptions) return 'it has critical options';
  if (certificate.principals.length === 0) return 'it names no host';
  if (!certificate.principals.some((principal) => matchesPattern(principal.toLowerCase(), name))) {
    return `it is for ${certificate.principals.slice(0, 8).join(', ')}`;
  }
  return undefined;
}

function refusal(hop: Hop, key: Buffer, verdict: Exclude<Verdict, { kind: 'known' }>, objection?: string): Error {
  const [name = hop.host] = hop.names;
  const type = typeOfKey(key) ?? 'unknown';
  const details = { host: hop.host, port: hop.port, name, keyType: type, fingerprint: fingerprintOf(key) };
  const shown = `${name} shows the ${type} key ${details.fingerprint}`;
  if (verdict.kind === 'revoked') {
    const { file, line } = verdict.entry;
    const remedy = 'do not connect; ask whoever runs the host for its new key';
    return sshError('host-key-revoked', `${shown}, which ${file}:${line} revokes`, { ...details, file, line, remedy });
  }
  if (verdict.kind === 'changed') {
    const { file, line } = verdict.entry;
    const forget = commandLine('ssh-keygen', '-f', file, '-R', name);
    const known = fingerprintOf(verdict.entry.key);
    const remedy = `somebody may be listening in; only when you know that the host has a new key, forget the old one: ${forget}`;
    return sshError('host-key-changed', `${shown}, but ${file}:${line} knows ${known}`, {
      ...details,
      file,
      line,
      known,
      remedy,
    });
  }
  const others = verdict.otherTypes.map(({ keyType }) => keyType);
  const why =
    others.length > 0
      ? `, and only keys of type ${others.join(', ')} are known of it`
      : verdict.hasAuthority
        ? objection === undefined
          ? ' without a certificate, and only a @cert-authority is known of it'
          : `, whose certificate does not vouch for it (${objection})`
        : ', which is not known';
  const remedy = `compare the fingerprint with the host's own, then write the key down: ${scanLine(hop, type)}${
    others.length > 0 ? '' : ", or set hostKeys to 'accept-new' once (known_hosts_verify=auto in a URI)"
  }`;
  return sshError('host-key-unknown', shown + why, { ...details, knownTypes: others, remedy });
}

/** The command that writes a host's key down, to be run by a person. */
function scanLine({ host, port, knownHostsFiles }: Hop, type: string): string {
  const short = type.replace(/^ssh-|-sha2-.*$/g, '');
  const ports = port === 22 ? [] : ['-p', String(port)];
  const scan = commandLine('ssh-keyscan', ...ports, '-t', short, host);
  return `${scan} >> ${commandLine(knownHostsFiles[0] ?? '~/.ssh/known_hosts')}`;
}
