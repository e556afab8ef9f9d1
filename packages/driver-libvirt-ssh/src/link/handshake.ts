import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { isWarmvmError } from '@warmvm/core/driver';
import type { AuthenticationType, AuthHandlerMiddleware, Client, ServerHostKeyAlgorithm } from 'ssh2';
import ssh2 from 'ssh2';
import { saidBy, sshError } from '../problem.ts';
import { Authentication, type Secrets } from './authentication.ts';
import { Greeting, turnedAway } from './greeting.ts';
import type { Hop } from './hop.ts';
import type { HostKeyCheck } from './host-key.ts';
import { addCertificates } from './ssh2-internals.ts';

/** What OpenSSH says to a client that tried too much. */
const TOO_MANY = /too many authentication failures/i;

/** An authenticated client. */
export interface ReadyClient {
  readonly client: Client;
  /** Resolves, never rejects, when it is over. */
  readonly closed: Promise<void>;
  /** Ends it, whether the other side still answers or not. Idempotent. */
  readonly end: () => void;
}

/**
 * Speaks ssh on a stream until the host's key is found good and the host has let us in.
 * @throws WARMVM_HOST_DENIED, WARMVM_HOST_PROTOCOL, WARMVM_HOST_UNREACHABLE; the signal's reason
 */
export async function handshake(
  hop: Hop,
  sock: Duplex,
  check: HostKeyCheck,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<ReadyClient> {
  const client = new ssh2.Client();
  const greeting = new Greeting(sock);
  const authentication = new Authentication(hop, secrets, signal);
  let keyRefusal: unknown;
  const closed = new Promise<void>((resolve) => {
    // The end comes first, and with it nothing more can be sent.
    client.once('end', () => resolve()).once('close', () => resolve());
  });
  try {
    await new Promise<void>((resolve, reject) => {
      let lastError: Error = new Error('the server hung up');
      const fail = (error: Error): void => reject(explain(hop, error, keyRefusal, authentication, greeting));
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      client.once('ready', () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      client.on('error', (error: Error & { level?: string }) => {
        lastError = error;
        // An agent that fails for one key is followed by the next key.
        if (error.level !== 'agent') fail(error);
      });
      client.once('close', () => fail(lastError));
      const authHandler: AuthHandlerMiddleware = (methods, _isPartial, next) => {
        authentication.next(methods as AuthenticationType[] | null).then((attempt) => next(attempt as never), reject);
      };
      client.connect({
        sock,
        username: hop.user,
        authHandler,
        algorithms: { serverHostKey: [...check.algorithms] as ServerHostKeyAlgorithm[] },
        hostVerifier: (key: Buffer, verify: (isGood: boolean) => void) => {
          check.check(key).then(
            () => verify(true),
            (error: unknown) => {
              keyRefusal = error;
              verify(false);
            },
          );
        },
        // The deadline is ours, on our clock.
        readyTimeout: 0,
        keepaliveInterval: hop.keepaliveIntervalMs,
        keepaliveCountMax: hop.keepaliveCount,
        strictVendor: false,
      });
      addCertificates(client, check.certificateAlgorithms);
      if (signal.aborted) onAbort();
    });
    client.on('error', () => {
      // What was sent and not taken must not be carried out later, when nobody reckons with it any more.
      if (sock instanceof Socket) sock.resetAndDestroy();
    });
    const end = (): void => {
      client.end();
      // The client itself leaves a socket alone that it has said good-bye on, and with it all who wait for an answer of a silent host.
      sock.destroy();
    };
    return { client, closed, end };
  } catch (error) {
    client.on('error', () => {});
    sock.destroy();
    throw error;
  }
}

function explain(
  hop: Hop,
  cause: Error & { level?: string },
  keyRefusal: unknown,
  tries: Authentication,
  greeting: Greeting,
): unknown {
  if (isWarmvmError(keyRefusal)) return keyRefusal;
  const { host, port } = hop;
  if (keyRefusal !== undefined) {
    return sshError('host-key-unknown', `the known hosts of ${host} cannot be read`, { host, port }, keyRefusal);
  }
  if (TOO_MANY.test(cause.message)) return tries.tooMany(cause);
  if (cause.level === 'client-authentication') return tries.failure(cause);
  if (/no matching|no compatible/i.test(cause.message)) {
    const remedy = 'update the older of the two sides';
    return sshError(
      'no-common-algorithm',
      `${host}:${port} and we have no algorithm in common: ${saidBy(cause)}`,
      { host, port, remedy },
      cause,
    );
  }
  if (!greeting.isSsh && greeting.isRefusal) return turnedAway(hop, cause);
  if (!greeting.isSsh || cause.level === 'handshake' || cause.level === 'protocol') {
    const remedy = 'see whether sshd listens on this port';
    return sshError('not-ssh', `${host}:${port} does not speak ssh: ${saidBy(cause)}`, { host, port, remedy }, cause);
  }
  return sshError('link-lost', `the ssh connection to ${host}:${port} broke: ${saidBy(cause)}`, { host, port }, cause);
}
