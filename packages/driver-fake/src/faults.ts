import { ERROR_CODES, type ErrorCode, type MachineId, WarmvmError } from '@warmvm/core/driver';

/** What a fault script is asked about: every call to the driver, its machines and their guests; and every state event. */
export type FaultOperation =
  | 'prepare'
  | 'fork'
  | 'list'
  | 'adopt'
  | 'remove'
  | 'ping'
  | 'state'
  | 'watch'
  | 'reset'
  | 'destroy'
  | 'event'
  | 'guest.ping'
  | 'guest.exec'
  | 'guest.readFile'
  | 'guest.writeFile'
  | 'guest.timeMs';

/** One call, as the fault script sees it. */
export interface FaultCall {
  readonly operation: FaultOperation;
  /** Number of this call among the driver's calls of the operation, from 1. */
  readonly attempt: number;
  /** The machine or golden snapshot that is meant, where one exists already. */
  readonly machineId: MachineId | null;
  /** Digest of the golden image, where the call names one. */
  readonly digest: string | null;
  /** The program, for `guest.exec`. */
  readonly command: readonly string[] | null;
  readonly nowMs: number;
}

/** A step of a longer call: `mark boot agent warm-up quiesce snapshot` of prepare, `mark clone renew` of fork, `revert renew` of reset, `stop unmark` of destroy. */
export type FaultStage =
  | 'mark'
  | 'boot'
  | 'agent'
  | 'warm-up'
  | 'quiesce'
  | 'snapshot'
  | 'clone'
  | 'renew'
  | 'revert'
  | 'stop'
  | 'unmark';

/** What goes wrong with a call. */
export interface Fault {
  /**
   * The call rejects. A code or a `WarmvmError` is thrown as it is; any other error counts as the hypervisor's own and is wrapped as
   * the contract says, with this as `cause`.
   */
  readonly reject?: Error | ErrorCode;
  /** The hypervisor never answers: only the signal, the loss of the host, dispose or `resumeHung` end the call. An event is lost. */
  readonly hang?: boolean;
  /** The call takes this much longer; before `reject`, when both are given. */
  readonly delayMs?: number;
  /** The method throws instead of giving a promise that rejects. */
  readonly throwSynchronously?: Error | ErrorCode;
  /** Where in a longer call it happens. @default its first stage */
  readonly stage?: FaultStage;
}

/** Decides which calls go wrong; asked at the beginning of each. */
export type FaultScript = (call: FaultCall) => Fault | undefined;

/** The error of a scripted fault. A code becomes a `WarmvmError` that may be retried. */
export function faultError(given: Error | ErrorCode, call: FaultCall): Error {
  if (typeof given !== 'string') return given;
  if (!ERROR_CODES.includes(given)) throw new TypeError(`a fault must name an error code, got ${given}`);
  const { operation, attempt, machineId } = call;
  return new WarmvmError(given, `${operation} failed: scripted fault of attempt ${attempt}`, {
    retryable: true,
    details: { operation, attempt, ...(machineId === null ? {} : { machineId }), scripted: true },
    cause: new Error('scripted fault'),
  });
}
