import { type Duplex, duplexPair } from 'node:stream';
import { type Clock, systemClock } from '@warmvm/core/driver';
import { MemoryFileHandles } from './memory-file-handles.ts';
import { type MemoryExit, type MemoryInvocation, MemoryProcess, type MemoryProgram } from './memory-process.ts';
import { memoryShell } from './memory-shell.ts';
import { Refusal } from './refusal.ts';

/** A command as it came to the memory agent. */
export interface MemoryCommand {
  readonly execute: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Options of {@link MemoryAgent}. */
export interface MemoryAgentOptions {
  /** What the guest's clock starts from. @default systemClock */
  readonly clock?: Clock;
  /**
   * Sees every answer before it is sent, and says what is sent instead: other bytes, at once or later, or undefined for
   * silence. @default sends the answer
   */
  readonly onReply?: (
    command: MemoryCommand,
    reply: Uint8Array,
  ) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Answers leave in pieces of this size. @default in one piece */
  readonly pieceBytes?: number;
}

type Handler = (parameters: Readonly<Record<string, unknown>>) => unknown;

/** A QEMU guest agent in memory that speaks the real byte protocol: for tests of what talks to one. Linux-like. */
export class MemoryAgent {
  /** The guest's files. */
  readonly files: Map<string, Uint8Array> = new Map();
  /** The guest's programs by path. `/bin/kill`, `/bin/sh` and `rm` are there; delete one for a guest without. */
  readonly programs: Map<string, MemoryProgram> = new Map();
  /** Names of all commands that came, in order. */
  readonly received: string[] = [];
  /** Network interfaces, by name: their hardware addresses. */
  readonly interfaces: Map<string, string> = new Map([['lo', '00:00:00:00:00:00']]);
  /** Commands that the agent does not offer. */
  readonly disabled: Set<string> = new Set();
  #frozen = false;
  #offsetMs = 0;
  #nextPid = 1000;
  readonly #processes: Map<number, MemoryProcess> = new Map();
  readonly #handles: MemoryFileHandles = new MemoryFileHandles(this.files);
  readonly #clock: Clock;
  readonly #options: MemoryAgentOptions;
  readonly #handlers: Readonly<Record<string, Handler>>;

  constructor(options: MemoryAgentOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.programs.set('/bin/kill', (invocation) => this.#kill(invocation));
    this.programs.set('/bin/sh', memoryShell({ programs: this.programs, files: this.files, handles: this.#handles }));
    this.programs.set('rm', ({ argv }) => {
      for (const path of argv.slice(1)) this.#handles.unlink(path);
      return {};
    });
    this.#handlers = this.#makeHandlers();
  }

  /** Files that are open; 0 when no handle leaked. */
  get openHandles(): number {
    return this.#handles.count;
  }

  /** Processes that have not ended. */
  get runningProcesses(): number {
    return [...this.#processes.values()].filter((process) => process.running).length;
  }

  /** Milliseconds since the Unix epoch, as the guest believes. */
  get timeMs(): number {
    return this.#clock.wallTimeMs() + this.#offsetMs;
  }

  set timeMs(timeMs: number) {
    this.#offsetMs = timeMs - this.#clock.wallTimeMs();
  }

  /** The host's end of a new serial line to this agent. */
  connect(): Duplex {
    const [host, guest] = duplexPair();
    let unread = '';
    let answering = Promise.resolve();
    guest.on('error', () => {});
    guest.on('end', () => guest.end());
    guest.on('data', (chunk: Buffer) => {
      // A byte that is no text makes the agent drop what came before it.
      for (const part of chunk.toString('latin1').split(/(\xff)/)) {
        const lines = (part === '\xff' ? '' : unread + part).split('\n');
        unread = lines.pop() ?? '';
        for (const line of lines) answering = answering.then(() => this.#answer(line, guest));
      }
    });
    return host;
  }

  async #answer(line: string, guest: Duplex): Promise<void> {
    const { command, reply } = this.#execute(Buffer.from(line, 'latin1').toString('utf8'));
    const onReply = this.#options.onReply ?? ((_: MemoryCommand, bytes: Uint8Array) => bytes);
    const bytes = await onReply(command, reply);
    if (bytes === undefined || guest.destroyed) return;
    const { pieceBytes = bytes.length } = this.#options;
    for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
      guest.write(bytes.subarray(offset, offset + pieceBytes));
    }
  }

  #execute(line: string): { command: MemoryCommand; reply: Uint8Array } {
    let command: MemoryCommand = { execute: '', arguments: {} };
    try {
      const value = JSON.parse(line) as Partial<MemoryCommand>;
      command = { execute: String(value.execute), arguments: value.arguments ?? {} };
      this.received.push(command.execute);
      const handler = this.disabled.has(command.execute) ? undefined : this.#handlers[command.execute];
      if (handler === undefined) {
        throw new Refusal(`The command ${command.execute} has not been found`, 'CommandNotFound');
      }
      const result = handler(command.arguments);
      const text = typeof result === 'bigint' ? `{"return": ${result}}\n` : `${JSON.stringify({ return: result })}\n`;
      const delimiter = command.execute === 'guest-sync-delimited' ? [Buffer.of(0xff)] : [];
      return { command, reply: Buffer.concat([...delimiter, Buffer.from(text)]) };
    } catch (error) {
      const agentClass = error instanceof Refusal ? error.agentClass : 'GenericError';
      const answer = { error: { class: agentClass, desc: error instanceof Error ? error.message : '' } };
      return { command, reply: Buffer.from(`${JSON.stringify(answer)}\n`) };
    }
  }

  #makeHandlers(): Readonly<Record<string, Handler>> {
    const handles = this.#handles;
    return {
      'guest-sync-delimited': ({ id }) => id,
      'guest-sync': ({ id }) => id,
      'guest-ping': () => ({}),
      'guest-info': () => ({ version: '7.2.22', supported_commands: this.#commandList() }),
      'guest-exec': (parameters) => this.#start(parameters),
      'guest-exec-status': ({ pid }) => this.#status(Number(pid)),
      'guest-file-open': ({ path, mode = 'r' }) => handles.open(String(path), String(mode)),
      'guest-file-read': ({ handle, count = 4096 }) => handles.read(Number(handle), Number(count)),
      'guest-file-write': ({ handle, 'buf-b64': base64 }) => handles.write(Number(handle), String(base64)),
      'guest-file-flush': ({ handle }) => handles.flush(Number(handle)),
      'guest-file-close': ({ handle }) => handles.close(Number(handle)),
      'guest-get-time': () => BigInt(Math.round(this.timeMs * 1000)) * 1000n,
      'guest-set-time': ({ time }) => {
        this.timeMs = Number(time) / 1_000_000;
        return {};
      },
      'guest-fsfreeze-status': () => (this.#frozen ? 'frozen' : 'thawed'),
      'guest-fsfreeze-freeze': () => this.#setFrozen(true),
      'guest-fsfreeze-thaw': () => this.#setFrozen(false),
      'guest-network-get-interfaces': () =>
        [...this.interfaces].map(([name, address]) => ({ name, 'hardware-address': address, 'ip-addresses': [] })),
      'guest-get-host-name': () => ({ 'host-name': 'memory' }),
      'guest-get-osinfo': () => ({
        id: 'memory',
        'pretty-name': 'Memory 1',
        'kernel-release': '6.1.0',
        machine: 'x86_64',
      }),
    };
  }

  #commandList(): object[] {
    return Object.keys(this.#handlers).map((name) => ({ name, enabled: !this.disabled.has(name) }));
  }

  #setFrozen(frozen: boolean): number {
    const changes = this.#frozen !== frozen;
    this.#frozen = frozen;
    return changes ? 1 : 0;
  }

  #start(parameters: Readonly<Record<string, unknown>>): object {
    const path = String(parameters.path);
    const program = this.programs.get(path);
    if (program === undefined) {
      throw new Refusal(
        `Guest agent command failed, error was 'Failed to execute child process “${path}” (No such file or directory)'`,
      );
    }
    const env = parameters.env as readonly string[] | undefined;
    this.#nextPid += 1;
    const process = new MemoryProcess(program, {
      argv: [path, ...((parameters.arg as readonly string[] | undefined) ?? [])],
      stdin: Buffer.from(String(parameters['input-data'] ?? ''), 'base64'),
      ...(env === undefined ? {} : { environment: parseVariables(env) }),
    });
    this.#processes.set(this.#nextPid, process);
    return { pid: this.#nextPid };
  }

  #status(pid: number): object {
    const process = this.#processes.get(pid);
    if (process === undefined) throw new Refusal("Invalid parameter 'pid'");
    if (!process.running) this.#processes.delete(pid);
    return process.status();
  }

  #kill({ argv }: MemoryInvocation): MemoryExit {
    const process = this.#processes.get(Number(argv.at(-1)));
    if (process?.running !== true) return { exitCode: 1, stderr: 'kill: no such process\n' };
    process.kill();
    return {};
  }
}

function parseVariables(env: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}
