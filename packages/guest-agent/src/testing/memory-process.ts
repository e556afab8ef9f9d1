/** What a program of the memory agent is told. */
export interface MemoryInvocation {
  readonly argv: readonly string[];
  /** Absent where the program inherits the agent's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array;
  /** Input that comes while the program runs. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Writes output now, where the client asked for it while the program runs. */
  readonly emit?: (stream: 'stdout' | 'stderr', bytes: Uint8Array | string) => void;
  /** The folder that the client asked for, or empty. */
  readonly workingDirectory?: string;
  /** Resolves when the process is killed; its program's end then no longer matters. */
  readonly killed: Promise<void>;
}

/** How a program of the memory agent ends. */
export interface MemoryExit {
  /** @default 0 unless `signal` is given */
  readonly exitCode?: number;
  readonly signal?: number;
  readonly stdout?: Uint8Array | string;
  readonly stderr?: Uint8Array | string;
}

/** A program of the memory agent: what the file at its path does. */
export type MemoryProgram = (invocation: MemoryInvocation) => MemoryExit | Promise<MemoryExit>;

/** The output that qemu-ga keeps of each of stdout and stderr. */
const CAPTURED_BYTES: number = 16 * 1024 * 1024;
const SIGKILL = 9;

/** A process of the memory agent. */
export class MemoryProcess {
  #exit: MemoryExit | undefined;
  #reportKill: () => void = () => {};
  readonly #killed: Promise<void> = new Promise((resolve) => {
    this.#reportKill = resolve;
  });

  constructor(program: MemoryProgram, invocation: Omit<MemoryInvocation, 'killed'>) {
    const end = (exit: MemoryExit): void => {
      this.#exit ??= exit;
    };
    // A program without anything to wait for has ended before its starter can look.
    const exit = program({ ...invocation, killed: this.#killed });
    if (exit instanceof Promise) exit.then(end, () => end({ exitCode: 255 }));
    else end(exit);
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  kill(): void {
    this.#exit ??= { signal: SIGKILL };
    this.#reportKill();
  }

  /** The `return` of `guest-exec-status`. */
  status(): object {
    const exit = this.#exit;
    if (exit === undefined) return { exited: false };
    return {
      exited: true,
      ...(exit.signal === undefined ? { exitcode: exit.exitCode ?? 0 } : { signal: exit.signal }),
      ...captured('out', exit.stdout),
      ...captured('err', exit.stderr),
    };
  }
}

function captured(name: 'out' | 'err', output: Uint8Array | string | undefined): object {
  const bytes = Buffer.from(output ?? '');
  if (bytes.length === 0) return {};
  return {
    [`${name}-data`]: bytes.subarray(0, CAPTURED_BYTES).toString('base64'),
    [`${name}-truncated`]: bytes.length > CAPTURED_BYTES,
  };
}
