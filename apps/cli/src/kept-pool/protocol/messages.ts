import type { PoolEvent, PoolStats } from '@warmvm/core';
import type { WireError } from './error-wire.ts';

/** The file that a pool was configured by, as it was then. */
export interface ConfigStamp {
  readonly path: string;
  readonly modifiedAtMs: number;
  readonly sizeBytes: number;
}

/** What a pool says of itself first. */
export interface Welcome {
  readonly type: 'welcome';
  readonly protocol: number;
  /** Version of the program that keeps the pool. */
  readonly version: string;
  readonly pid: number;
  readonly pool: string;
  /** What drivers are called; their options stay with the pool. */
  readonly drivers: readonly string[];
  /** For people. */
  readonly image: string;
  /** Of drivers with their options, so that others can tell whether they mean the same. */
  readonly driversDigest: string;
  readonly imageDigest: string;
  /** Null where drivers or image were named by other means than the file. */
  readonly config: ConfigStamp | null;
}

/** About a call that is open. Gets no answer of its own. */
export interface CallUpdate {
  readonly type: 'input-ended' | 'input-failed' | 'cancel';
  readonly call: number;
}

/** What a client may ask. Every one but `hello` and those about a call that is open gets a `result` or a `failure` of its number. */
export type Request =
  /** `pid` is what the client says of itself, for people; nothing rests on it. */
  | { readonly type: 'hello'; readonly protocol: number; readonly pid?: number | undefined }
  | { readonly type: 'status'; readonly call: number }
  | { readonly type: 'lease'; readonly call: number; readonly timeoutMs?: number | undefined }
  | { readonly type: 'ping' | 'time'; readonly call: number }
  | {
      readonly type: 'exec';
      readonly call: number;
      readonly command: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      readonly workingDirectory?: string | undefined;
      readonly timeoutMs?: number | undefined;
      readonly maxOutputBytes?: number | undefined;
      /** Whether input follows, as data and `input-ended`. */
      readonly hasInput: boolean;
      /** Whether output is sent as it comes, or when the program has ended. */
      readonly isStreamed: boolean;
    }
  | { readonly type: 'read'; readonly call: number; readonly path: string; readonly maxBytes?: number | undefined }
  /** So many bytes of data follow. */
  | {
      readonly type: 'write';
      readonly call: number;
      readonly path: string;
      readonly append: boolean;
      readonly sizeBytes: number;
    }
  | CallUpdate
  | {
      readonly type: 'return';
      readonly call: number;
      readonly how: 'release' | 'discard';
      readonly reason?: string | undefined;
    }
  | { readonly type: 'drain'; readonly call: number; readonly graceMs: number }
  | { readonly type: 'events'; readonly call: number };

/** What a pool answers. */
export type Reply =
  | Welcome
  | { readonly type: 'result'; readonly call: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly call: number; readonly error: WireError }
  /** So many bytes of input more may be sent. */
  | { readonly type: 'credit'; readonly call: number; readonly sizeBytes: number }
  | { readonly type: 'event'; readonly event: PoolEvent }
  /** The machine was taken away. */
  | { readonly type: 'lost'; readonly error: WireError }
  /** The connection ends: the client broke the protocol, or speaks another. */
  | { readonly type: 'refused'; readonly error: WireError };

/** What a lease gives. */
export interface LeaseFacts {
  readonly machineId: string;
  readonly host: string;
  readonly slot: number;
  readonly turn: number;
  readonly generation: number;
  /** For people: a command that reaches the machine from elsewhere. */
  readonly reach: string | null;
}

/** How a program ended; its output came before. */
export interface ExecFacts {
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
}

/** How a drain went. */
export interface DrainFacts {
  readonly durationMs: number;
  /** Leases that were taken back since they did not end in time. */
  readonly revoked: number;
  /** Machines that could not be destroyed. */
  readonly undestroyed: number;
}

/** How long something took, of the last times that it was done. */
export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A slot of the pool as it is now. */
export interface SlotFacts {
  readonly slot: number;
  readonly host: string;
  readonly state: string;
  readonly machineId: string | null;
  readonly generation: number | null;
  readonly turn: number;
  /** Process that has its machine, as far as that said who it is. */
  readonly clientPid: number | null;
  /** How long it has been in this state. */
  readonly sinceMs: number;
}

/** What `status` gives. Schema 1. */
export interface PoolStatus {
  readonly schema: 1;
  readonly pool: string;
  readonly version: string;
  readonly pid: number;
  readonly drivers: readonly string[];
  readonly image: string;
  /** How long the pool has been kept. */
  readonly uptimeMs: number;
  readonly connections: number;
  /** Null until the pool is made. */
  readonly stats: PoolStats | null;
  readonly slots: readonly SlotFacts[];
  /** By what was done: `acquire`, or a phase of the pool. */
  readonly latencies: Readonly<Record<string, Latency>>;
}
