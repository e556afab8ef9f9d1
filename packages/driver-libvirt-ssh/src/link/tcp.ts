import { connect, type Socket } from 'node:net';
import type { WarmvmError } from '@warmvm/core/driver';
import { type SshProblem, sshError } from '../problem.ts';
import { turnedAway } from './greeting.ts';
import type { Hop } from './hop.ts';

/** A TCP connection to a host. @throws WARMVM_HOST_UNREACHABLE; the signal's reason */
export function connectTcp(hop: Hop, signal: AbortSignal): Promise<Socket> {
  const { host, port } = hop;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // Requests are small and wait for their answers: nothing is gained by collecting them.
    const socket = connect({ host, port, noDelay: true });
    const settle = (finish: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
      finish();
    };
    const onAbort = (): void =>
      settle(() => {
        socket.on('error', () => {});
        socket.destroy();
        reject(signal.reason);
      });
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => settle(() => resolve(socket)));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(() => reject(unreachable(hop, error))));
  });
}

function unreachable(hop: Hop, cause: NodeJS.ErrnoException): WarmvmError {
  // It was taken, and reset before this process could look.
  if (cause.code === 'ECONNRESET') return turnedAway(hop, cause);
  const { host, port } = hop;
  const problem: SshProblem =
    cause.code === 'ENOTFOUND' || cause.code === 'EAI_AGAIN'
      ? 'name-not-found'
      : cause.code === 'ECONNREFUSED'
        ? 'connection-refused'
        : 'network';
  const remedies: Partial<Record<SshProblem, string>> = {
    'name-not-found': 'see whether the name is written right and known to the name service',
    'connection-refused': 'see whether sshd runs there, and on which port',
  };
  const remedy = remedies[problem] ?? 'see whether the host is up and the way to it is open';
  const why = cause.code ?? cause.message;
  return sshError(problem, `${host}:${port} cannot be reached (${why})`, { host, port, remedy }, cause);
}
