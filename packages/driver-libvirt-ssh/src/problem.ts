import { type ErrorCode, type ErrorDetails, shownText, WarmvmError } from '@warmvm/core/driver';

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
  | 'user-unknown'
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
  'user-unknown': 'WARMVM_NOT_SUPPORTED',
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

/** Longer than any message that is made here, with room for what a server said. */
const LONGEST_MESSAGE = { mostChars: 2_000 };
/** Text of one server, program or file in a message. */
const LONGEST_SAYING = { mostChars: 500 };
/** Entries of a list that are kept; a server decides how many methods it names. */
const MOST_ENTRIES = 100;

/**
 * An error of the way to a host; `details.problem` tells which, `details.remedy` what to do. Whatever a server said in it is cleaned and shortened here,
 * in the message, the details and the cause.
 */
export function sshError(
  problem: SshProblem,
  message: string,
  details: ErrorDetails & { readonly remedy?: string } = {},
  cause?: unknown,
): WarmvmError {
  const text = details.remedy === undefined ? message : `${message}; ${details.remedy}`;
  return new WarmvmError(CODES[problem], shownText(text, LONGEST_MESSAGE), {
    retryable: RETRYABLE.has(problem),
    details: { problem, ...(cleaned(details) as ErrorDetails) },
    ...(cause === undefined ? {} : { cause: heard(cause) }),
  });
}

/** The far side said no to one request: to forward to a socket, or to run a program that reaches the daemon. Only this leads to the next way. */
export class FarRefusal extends Error {
  override readonly name = 'FarRefusal';
}

/** What somebody else said, for a part of a message: so that a long one leaves room for the rest. */
export function saidBy(error: unknown): string {
  return shownText(error instanceof Error ? error.message : String(error), LONGEST_SAYING);
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return shownText(value, LONGEST_MESSAGE);
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cleaned(one)]));
}

/** The same error without what a terminal would obey: programs print causes with their stacks. */
function heard(cause: unknown): unknown {
  if (!(cause instanceof Error)) return saidBy(cause);
  const clean = saidBy(cause);
  if (cause.message === clean) return cause;
  // The stack has the message in its first lines; those of the calls are ours.
  const calls = (cause.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  const error = new Error(clean);
  error.name = cause.name;
  error.stack = [`${cause.name}: ${clean}`, ...calls.map((line) => shownText(line, LONGEST_SAYING))].join('\n');
  return error;
}
