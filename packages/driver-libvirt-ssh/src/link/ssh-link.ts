import type { Duplex } from 'node:stream';
import type { Clock } from '@warmvm/core/driver';
import type { Client, ClientChannel } from 'ssh2';
import { FarRefusal, saidBy, sshError } from '../problem.ts';
import type { Secrets } from './authentication.ts';
import { handshake, type ReadyClient } from './handshake.ts';
import type { Hop } from './hop.ts';
import { hostKeyCheck } from './host-key.ts';
import { abortable, connectTcp } from './tcp.ts';

/** What a command on the far host came to. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs on the far host. */
export interface FarCommand {
  /** Its standard input and output. */
  readonly channel: ClientChannel;
  /** The exit code once there is one: null for a signal. */
  readonly exitCode: () => number | null | undefined;
  /** What it has said on its standard error, the first part. */
  readonly complaint: () => string;
  /** Resolves, never rejects, when it has ended and everything has been read. */
  readonly closed: Promise<void>;
}

/** How much of a far program's words is kept. */
const MOST_OUTPUT_CHARS = 4_096;

/** One ssh connection, authenticated and its host's key checked. */
export class SshLink {
  readonly hop: Hop;
  /** Resolves, never rejects, when the connection is over. */
  readonly closed: Promise<void>;
  readonly #client: Client;
  readonly #end: () => void;
  #sessions = 0;
  #channels = 0;
  #isOver = false;

  private constructor(hop: Hop, { client, closed, end }: ReadyClient) {
    this.hop = hop;
    this.#client = client;
    this.#end = end;
    this.closed = closed.then(() => {
      this.#isOver = true;
    });
  }

  /**
   * Connects to a host, over the link before it where there is one.
   * @throws WARMVM_HOST_UNREACHABLE, WARMVM_HOST_DENIED, WARMVM_HOST_PROTOCOL with `details.problem`; the signal's reason
   */
  static async open(
    hop: Hop,
    secrets: Secrets,
    before: SshLink | undefined,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<SshLink> {
    const limit = new AbortController();
    const { host, port, connectTimeoutMs: timeoutMs } = hop;
    const timer = clock.setTimer(() => {
      const remedy = 'see whether the host is up, or set connectTimeoutMs higher';
      limit.abort(
        sshError('connect-timeout', `no ssh connection to ${host}:${port} within ${timeoutMs} ms`, {
          host,
          port,
          timeoutMs,
          remedy,
        }),
      );
    }, timeoutMs);
    const either = AbortSignal.any([signal, limit.signal]);
    try {
      const check = await abortable(hostKeyCheck(hop, clock), either);
      const stream =
        before === undefined ? await connectTcp(hop, clock, either) : await before.connectOnwards(hop, either);
      return new SshLink(hop, await handshake(hop, stream, check, secrets, either));
    } finally {
      timer.cancel();
    }
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sessions (commands) that are open: servers bound them. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Channels of every kind. */
  get channels(): number {
    return this.#channels;
  }

  /** A stream to a socket on the far host. @throws what the server said; the signal's reason */
  forwardToSocket(path: string, signal: AbortSignal): Promise<Duplex> {
    return this.#channel(signal, (done) => this.#client.openssh_forwardOutStreamLocal(path, done));
  }

  /** Starts a command on the far host. @throws what the server said; the signal's reason */
  async execute(command: string, signal: AbortSignal): Promise<FarCommand> {
    this.#sessions += 1;
    let started: FarCommand | undefined;
    const begin = (channel: ClientChannel): void => {
      started = follow(channel);
      void started.closed.then(() => {
        this.#sessions -= 1;
      });
    };
    try {
      await this.#channel<ClientChannel>(signal, (done) => this.#client.exec(command, done), begin);
      return started as unknown as FarCommand;
    } catch (error) {
      if (started === undefined) this.#sessions -= 1;
      throw error;
    }
  }

  /** Runs a command to its end. */
  async run(command: string, signal: AbortSignal): Promise<CommandEnd> {
    const { channel, exitCode, complaint, closed } = await this.execute(command, signal);
    const stdout = collect(channel);
    channel.end();
    let onAbort = (): void => {};
    const given = new Promise<void>((resolve) => {
      onAbort = resolve;
      signal.addEventListener('abort', onAbort, { once: true });
    });
    await Promise.race([closed, given]);
    signal.removeEventListener('abort', onAbort);
    if (signal.aborted) {
      channel.destroy();
      throw signal.reason;
    }
    return { exitCode: exitCode() ?? null, stdout: stdout(), stderr: complaint() };
  }

  /** A stream to another host, from this one. @throws WARMVM_HOST_UNREACHABLE */
  async connectOnwards({ host, port }: Hop, signal: AbortSignal): Promise<Duplex> {
    try {
      return await this.#channel(signal, (done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done));
    } catch (error) {
      if (signal.aborted) throw error;
      const via = this.hop.host;
      const details = { host, port, via, remedy: `see whether ${via} reaches it and allows AllowTcpForwarding` };
      throw sshError('jump-refused', `${via} does not pass on to ${host}:${port}: ${saidBy(error)}`, details, error);
    }
  }

  /** Ends the connection with all its channels. Idempotent. */
  close(): void {
    this.#end();
  }

  #channel<Channel extends Duplex>(
    signal: AbortSignal,
    open: (done: (error: Error | undefined, channel: Channel) => void) => void,
    // Called at once: what the far side says next may be in the same packet.
    begin: (channel: Channel) => void = () => {},
  ): Promise<Channel> {
    signal.throwIfAborted();
    this.#channels += 1;
    return new Promise<Channel>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      const fail = (error: unknown): void => {
        signal.removeEventListener('abort', onAbort);
        this.#channels -= 1;
        reject(error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        open((error, channel) => {
          if (error) return fail(new FarRefusal(saidBy(error), { cause: error }));
          signal.removeEventListener('abort', onAbort);
          channel.on('error', () => {});
          channel.once('close', () => {
            this.#channels -= 1;
          });
          begin(channel);
          // Nobody waits for it any more: what it still has to say is dropped.
          if (signal.aborted) channel.resume().destroy();
          else resolve(channel);
        });
      } catch (error) {
        fail(error);
      }
    });
  }
}

function follow(channel: ClientChannel): FarCommand {
  let code: number | null | undefined;
  channel.on('exit', (exitCode: number | null) => {
    code = exitCode;
  });
  const closed = new Promise<void>((resolve) => {
    channel.once('close', () => resolve());
  });
  return { channel, exitCode: () => code, complaint: collect(channel.stderr), closed };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    if (text.length < MOST_OUTPUT_CHARS) text += chunk.toString('utf8').slice(0, MOST_OUTPUT_CHARS - text.length);
  });
  return () => text;
}
