import type { CallOptions } from './call.ts';

/** Options of {@link Guest.exec}. */
export interface ExecOptions extends CallOptions {
  /**
   * Bytes or UTF-8 text for standard input; a sequence of them is handed over as it comes, and its end is the end of the
   * input. What it throws ends the program and rejects the call. @default none
   */
  readonly stdin?: Uint8Array | string | AsyncIterable<Uint8Array | string>;
  /**
   * Called with output while the program runs, in order for each stream; what it returns is waited for before more is read, and
   * what it throws ends the program and rejects the call. `stdout` and `stderr` of the result are then empty, and
   * `maxOutputBytes` bounds what is handed over. @default output comes with the result
   */
  readonly onOutput?: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void | Promise<void>;
  /** Absolute path of the folder that the program starts in. @default the guest agent's own, usually `/` */
  readonly workingDirectory?: string;
  /** Variables added to the environment. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /** After this the guest's process is killed and the call rejects with `WARMVM_GUEST_EXEC_FAILED`, `details.timedOut` true. @default 30000 */
  readonly timeoutMs?: number;
  /** Bound for each of stdout and stderr; what is over is cut and marked. @default 1048576; 1 GiB with `onOutput` */
  readonly maxOutputBytes?: number;
}

/** How a command in the guest ended. A non-zero exit code is a result, not an error. */
export interface ExecResult {
  /** Absent when a signal ended it. */
  readonly exitCode: number | null;
  /** Number of the signal that ended it, or null. */
  readonly signal: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** True when output was cut at a bound. */
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
}

/** Options of every call about a file. */
export interface FileCallOptions extends CallOptions {
  /** Longest the whole call may take; then it rejects with `WARMVM_GUEST_UNRESPONSIVE`, `details.timedOut` true. @default 600000 */
  readonly timeoutMs?: number;
}

export interface ReadFileOptions extends FileCallOptions {
  /** A longer file rejects with `WARMVM_GUEST_EXEC_FAILED`; nothing of it is returned. @default 16777216 */
  readonly maxBytes?: number;
}

export interface WriteFileOptions extends FileCallOptions {
  /** Add to the end instead of replacing. @default false */
  readonly append?: boolean;
}

/**
 * What runs inside a machine. Everything from here is hostile input. Where the manifest says `guestAgent: false`, every
 * call rejects with `WARMVM_NOT_SUPPORTED`.
 */
export interface Guest {
  /** Resolves when the guest answered. @throws WARMVM_GUEST_UNRESPONSIVE */
  ping(options?: CallOptions): Promise<void>;
  /**
   * Runs a program, given as argument vector: never through a shell. Abort kills the guest's process.
   * @throws WARMVM_GUEST_EXEC_FAILED, with what the guest said as `cause`, when there is no such program
   */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** @throws WARMVM_GUEST_EXEC_FAILED when there is no such file */
  readFile(path: string, options?: ReadFileOptions): Promise<Uint8Array>;
  writeFile(path: string, content: Uint8Array | string, options?: WriteFileOptions): Promise<void>;
  /** Milliseconds since the Unix epoch, as the guest believes. */
  timeMs(options?: CallOptions): Promise<number>;
}
