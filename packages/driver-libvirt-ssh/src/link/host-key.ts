import { typeOfKey } from '../known-hosts/entry.ts';
import { appendKnownHost, readKnownHosts } from '../known-hosts/files.ts';
import { fingerprintOf, hostKeyAlgorithms, judge, type Verdict } from '../known-hosts/verdict.ts';
import { sshError } from '../problem.ts';
import { commandLine } from '../ways/remote-command.ts';
import type { Hop } from './hop.ts';

/** What is known of a host's keys, read anew for each connection. */
export interface HostKeyCheck {
  /** What to ask the server for, the checkable first. */
  readonly algorithms: readonly string[];
  /** Resolves when the key may be trusted. @throws WARMVM_HOST_DENIED with the fingerprint and what to do */
  check(key: Buffer): Promise<void>;
}

/** Reads the files of known hosts. */
export async function hostKeyCheck(hop: Hop): Promise<HostKeyCheck> {
  const entries = await readKnownHosts(hop.knownHostsFiles);
  return {
    algorithms: hostKeyAlgorithms(entries, hop.names),
    async check(key) {
      const verdict = judge(entries, hop.names, key);
      if (verdict.kind === 'known') return;
      if (verdict.kind === 'unknown' && hop.hostKeys === 'accept-new' && verdict.otherTypes.length === 0) {
        const [file] = hop.knownHostsFiles;
        if (file !== undefined) await appendKnownHost(file, hop.names[0] ?? hop.host, key, hop.hashKnownHosts);
        return;
      }
      throw refusal(hop, key, verdict);
    },
  };
}

function refusal(hop: Hop, key: Buffer, verdict: Exclude<Verdict, { kind: 'known' }>): Error {
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
        ? ', and only a @cert-authority is known of it: host certificates are not supported'
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
