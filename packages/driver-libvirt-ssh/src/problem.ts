import { type ErrorCode, type ErrorDetails, WarmvmError } from '@warmvm/core/driver';

/** What went wrong on the way to a far daemon: `details.problem` of the error. Each has a paragraph in `docs/remote-hosts.md`. */
export type SshProblem =
  | 'name-not-found'
  | 'connection-refused'
  | 'network'
  | 'connect-timeout'
  | 'jump-refused'
  | 'turned-away'
  | 'not-ssh'
  | 'no-common-algorithm'
  | 'link-lost'
  | 'host-key-unknown'
  | 'host-key-changed'
  | 'host-key-revoked'
  | 'authentication-refused'
  | 'too-many-attempts'
  | 'key-unusable'
  | 'passphrase-missing'
  | 'passphrase-wrong'
  | 'callback-failed'
  | 'config-not-supported'
  | 'forwarding-refused'
  | 'socket-missing'
  | 'socket-denied'
  | 'daemon-down'
  | 'daemon-silent'
  | 'libvirt-missing'
  | 'no-way';

const CODES: Readonly<Record<SshProblem, ErrorCode>> = {
  'name-not-found': 'WARMVM_HOST_UNREACHABLE',
  'connection-refused': 'WARMVM_HOST_UNREACHABLE',
  network: 'WARMVM_HOST_UNREACHABLE',
  'connect-timeout': 'WARMVM_HOST_UNREACHABLE',
  'jump-refused': 'WARMVM_HOST_UNREACHABLE',
  'turned-away': 'WARMVM_HOST_UNREACHABLE',
  'not-ssh': 'WARMVM_HOST_PROTOCOL',
  'no-common-algorithm': 'WARMVM_HOST_PROTOCOL',
  'link-lost': 'WARMVM_HOST_UNREACHABLE',
  'host-key-unknown': 'WARMVM_HOST_DENIED',
  'host-key-changed': 'WARMVM_HOST_DENIED',
  'host-key-revoked': 'WARMVM_HOST_DENIED',
  'authentication-refused': 'WARMVM_HOST_DENIED',
  'too-many-attempts': 'WARMVM_HOST_DENIED',
  'key-unusable': 'WARMVM_HOST_DENIED',
  'passphrase-missing': 'WARMVM_HOST_DENIED',
  'passphrase-wrong': 'WARMVM_HOST_DENIED',
  'callback-failed': 'WARMVM_HOST_DENIED',
  'config-not-supported': 'WARMVM_NOT_SUPPORTED',
  'forwarding-refused': 'WARMVM_HOST_DENIED',
  'socket-missing': 'WARMVM_HOST_UNREACHABLE',
  'socket-denied': 'WARMVM_HOST_DENIED',
  'daemon-down': 'WARMVM_HOST_UNREACHABLE',
  'daemon-silent': 'WARMVM_HOST_UNREACHABLE',
  'libvirt-missing': 'WARMVM_HOST_UNREACHABLE',
  'no-way': 'WARMVM_HOST_UNREACHABLE',
};

/** A later try may meet another network or a daemon that was started meanwhile; a key or a right does not mend itself. */
const RETRYABLE: ReadonlySet<SshProblem> = new Set<SshProblem>([
  'name-not-found',
  'connection-refused',
  'network',
  'connect-timeout',
  'jump-refused',
  'turned-away',
  'link-lost',
  'socket-missing',
  'daemon-down',
  'daemon-silent',
]);

/** An error of the way to a host; `details.problem` tells which, `details.remedy` what to do. */
export function sshError(
  problem: SshProblem,
  message: string,
  details: ErrorDetails & { readonly remedy?: string } = {},
  cause?: unknown,
): WarmvmError {
  const text = details.remedy === undefined ? message : `${message}; ${details.remedy}`;
  return new WarmvmError(CODES[problem], text, {
    retryable: RETRYABLE.has(problem),
    details: { problem, ...details },
    ...(cause === undefined ? {} : { cause }),
  });
}
