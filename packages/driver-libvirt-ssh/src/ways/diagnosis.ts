import { isWarmvmError, type WarmvmError } from '@warmvm/core/driver';
import type { LinkPool } from '../link/link-pool.ts';
import type { ParsedSshOptions } from '../options/parse-options.ts';
import { type SshProblem, sshError } from '../problem.ts';
import { scriptLine } from './remote-command.ts';
import type { Attempt } from './way.ts';

/** An attempt that failed, and what was said. */
export interface FailedAttempt extends Attempt {
  readonly said: string;
}

/** What the far host says of itself when no way works. */
export interface FarFacts {
  readonly sockets: readonly string[];
  readonly writable: readonly string[];
  readonly listening: readonly string[];
  readonly hasLibvirt: boolean;
}

/** Arguments: the sockets. A listening socket has the flag that the kernel calls ACC. */
const LOOK = [
  'PATH=$PATH:/usr/sbin:/usr/local/sbin;',
  'for p in libvirtd virtqemud virtproxyd; do if command -v "$p" >/dev/null 2>&1; then echo "daemon $p"; fi; done;',
  'for s; do if [ -S "$s" ]; then echo "socket $s"; if [ -r "$s" ] && [ -w "$s" ]; then echo "writable $s"; fi;',
  'while read -r a b c f d e i n; do if [ "$f" = 00010000 ] && { [ "$n" = "$s" ] || [ "/var$n" = "$s" ]; }; then echo "listening $s"; fi; done </proc/net/unix;',
  'fi; done; true',
].join(' ');

/** A few words of shell take no longer; who waits for the error should not wait for the reason. */
const LONGEST_LOOK_MS = 3_000;

/** Asks the far host why none of the ways works, where it runs commands at all. */
export async function diagnose(
  links: LinkPool,
  options: ParsedSshOptions,
  failed: readonly FailedAttempt[],
  signal: AbortSignal,
): Promise<WarmvmError> {
  const limit = new AbortController();
  const timer = options.clock.setTimer(() => limit.abort(), LONGEST_LOOK_MS);
  const either = AbortSignal.any([signal, limit.signal]);
  const facts = await links
    .withSession(either, (link) => link.run(scriptLine(LOOK, ...options.sockets), either))
    .then(({ exitCode, stdout }) => (exitCode === 0 ? factsOf(stdout) : undefined))
    .catch((error: unknown) => {
      // A link that breaks is another fault than a host that runs no commands.
      if (isWarmvmError(error) && !either.aborted) throw error;
      return undefined;
    })
    .finally(() => timer.cancel());
  signal.throwIfAborted();
  return conclude(options, failed, facts);
}

/** Lines of the script; anything else is passed over. */
export function factsOf(output: string): FarFacts {
  const lines = output.split('\n');
  const after = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  return {
    sockets: after('socket'),
    writable: after('writable'),
    listening: after('listening'),
    hasLibvirt: after('daemon').length > 0,
  };
}

/** What all of it means. */
export function conclude(
  { host, sockets, ways }: Pick<ParsedSshOptions, 'host' | 'sockets' | 'ways'>,
  failed: readonly FailedAttempt[],
  facts: FarFacts | undefined,
): WarmvmError {
  const attempts = failed.map(({ way, socket, said }) => ({ way, ...(socket === undefined ? {} : { socket }), said }));
  const tries = failed.map(({ way, said }) => `${way}: ${said}`).join('; ');
  // Only a refused forwarding says something about AllowStreamLocalForwarding.
  const isRefused = failed.some(({ way }) => way === 'streamlocal');
  const { problem, what, remedy } = reason(host, sockets, ways, isRefused, facts);
  return sshError(problem, `${what} (${tries})`, { host, attempts, remedy });
}

function reason(
  host: string,
  sockets: readonly string[],
  ways: readonly string[],
  isForwardingRefused: boolean,
  facts: FarFacts | undefined,
): { readonly problem: SshProblem; readonly what: string; readonly remedy: string } {
  const places = sockets.join(' and ');
  if (facts === undefined) {
    return {
      problem: 'no-way',
      what: isForwardingRefused
        ? `${host} forwards to no socket${places === '' ? '' : ` at ${places}`} and runs no command`
        : `${host} runs no command that reaches libvirt`,
      remedy: isForwardingRefused
        ? 'allow AllowStreamLocalForwarding in its sshd_config, or commands for this user, and see whether libvirtd runs there'
        : 'allow commands for this user in its sshd_config, and see whether libvirtd runs there',
    };
  }
  if (facts.sockets.length === 0 && sockets.length > 0) {
    return facts.hasLibvirt
      ? {
          problem: 'socket-missing',
          what: `${host} has no libvirt socket at ${places}`,
          remedy: 'start libvirtd (or virtqemud.socket) there, or name its socket as socketPath (socket in a URI)',
        }
      : {
          problem: 'libvirt-missing',
          what: `${host} has no libvirt: neither a daemon nor a socket at ${places}`,
          remedy:
            'install it there (Debian: libvirt-daemon-system), or name its socket as socketPath (socket in a URI)',
        };
  }
  if (facts.sockets.length > 0 && facts.writable.length === 0) {
    return {
      problem: 'socket-denied',
      what: `the user may not use the libvirt socket ${facts.sockets.join(' and ')} of ${host}`,
      remedy: 'add the user to the group libvirt there',
    };
  }
  if (facts.sockets.length > 0 && facts.listening.length === 0) {
    return {
      problem: 'daemon-down',
      what: `nobody listens on the libvirt socket ${facts.sockets.join(' and ')} of ${host}`,
      remedy: 'start libvirtd there',
    };
  }
  if (facts.sockets.length > 0 && isForwardingRefused) {
    const others = ways.length > 1;
    return {
      problem: 'forwarding-refused',
      what: `${host} does not forward to its libvirt socket${others ? ', and no other way works' : ''}`,
      remedy: `set AllowStreamLocalForwarding yes in its sshd_config${others ? ', or install virt-ssh-helper or nc there' : ", or set way to 'auto'"}`,
    };
  }
  return { problem: 'no-way', what: `${host} is not reached this way`, remedy: "set way to 'auto'" };
}
