import type { Duplex } from 'node:stream';
import type { LinkPool } from '../link/link-pool.ts';
import type { FarCommand, SshLink } from '../link/ssh-link.ts';
import type { SshWay } from '../options/options.ts';
import type { ParsedSshOptions } from '../options/parse-options.ts';
import { FarRefusal, saidBy, sshError } from '../problem.ts';
import { answersPing } from './ping.ts';
import { commandLine, scriptLine } from './remote-command.ts';

/** One way to the daemon, with the socket where that is known. */
export interface Attempt {
  readonly way: SshWay;
  /** Undefined where the far side chooses. */
  readonly socket: string | undefined;
}

/** Arguments: a program or nothing, and the sockets of which the first that exists is taken. Variants of nc differ in their options. */
const NETCAT = [
  'p=$1; shift; f=;',
  'for s; do if [ -S "$s" ]; then f=$s; break; fi; done;',
  'if [ -z "$f" ]; then echo "no socket at $*" >&2; exit 66; fi;',
  'if [ -z "$p" ]; then for c in nc ncat socat; do if command -v "$c" >/dev/null 2>&1; then p=$c; break; fi; done; fi;',
  'if [ -z "$p" ]; then echo "none of nc, ncat, socat is installed" >&2; exit 67; fi;',
  'case "$p" in socat|*/socat) exec "$p" - "UNIX-CONNECT:$f";; esac;',
  // Without -q0 the nc of Debian stays behind when the link has gone.
  'if "$p" -q 2>&1 | grep -q "requires an argument"; then exec "$p" -q0 -U "$f"; fi;',
  'exec "$p" -U "$f"',
].join(' ');

/** All attempts that the options allow, in their order. */
export function attemptsOf({ ways, sockets }: Pick<ParsedSshOptions, 'ways' | 'sockets'>): readonly Attempt[] {
  return ways.flatMap((way): Attempt[] =>
    way === 'streamlocal' ? sockets.map((socket) => ({ way, socket })) : [{ way, socket: undefined }],
  );
}

/** Opens a stream to the daemon on one way. @throws Error with what the far side said; the signal's reason */
export async function openWay(
  links: LinkPool,
  { way, socket }: Attempt,
  options: ParsedSshOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  if (way === 'streamlocal') return links.withLink(signal, (link) => link.forwardToSocket(socket as string, signal));
  const command =
    way === 'helper'
      ? commandLine('virt-ssh-helper', options.driverUri)
      : scriptLine(NETCAT, options.netcat ?? '', ...options.sockets);
  return links.withSession(signal, async (link) =>
    connected(link, await link.execute(command, signal), options, signal),
  );
}

/**
 * A program was started, which says nothing of whether it reaches the daemon: only the daemon's answer to a ping does. A program
 * that ends before has said why on its standard error.
 */
async function connected(
  { hop }: SshLink,
  command: FarCommand,
  { host, clock }: ParsedSshOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  const { channel } = command;
  const limit = new AbortController();
  const { connectTimeoutMs: timeoutMs } = hop;
  const timer = clock.setTimer(() => {
    const remedy = 'see whether libvirtd hangs there, or has as many clients as it takes (max_clients)';
    const what = `the libvirt daemon of ${host} did not answer within ${timeoutMs} ms`;
    limit.abort(sshError('daemon-silent', what, { host, timeoutMs, remedy }));
  }, timeoutMs);
  const either = AbortSignal.any([signal, limit.signal]);
  try {
    await answersPing(channel, either);
    return channel;
  } catch (error) {
    // Nobody reads any more, and what is not read is never closed.
    channel.resume().destroy();
    either.throwIfAborted();
    const words = saidBy(command.complaint());
    throw new FarRefusal(words === '' ? saidBy(error) : words, { cause: error });
  } finally {
    timer.cancel();
  }
}
