import { isWarmvmError, sleep } from '@warmvm/core/driver';
import type { AgentCaller } from './agent-caller.ts';
import { LONGEST_TIMEOUT_MS } from './check.ts';
import { asBoolean, asBytes, asCount, asObject, Malformed } from './reply.ts';
import { TimeLimit } from './time-limit.ts';

const FIRST_POLL_MS = 1;
const SLOWEST_POLL_MS = 50;
/** The answer about an ended process holds up to 43 MiB of output, which the agent encodes in one piece. In times of `replyTimeoutMs`. */
const OUTPUT_FACTOR = 4;
/** Names of an answer's fields are strings, too. A multiple of 4, as base64 is. */
const LONGEST_NAME_BYTES = 64;
/** A killed process whose children hold its output open never counts as ended; some 30 ms and five answers are enough to tell. */
const POLLS_AFTER_KILL = 5;
/** qemu-ga cannot kill. Tried in this order until one exists; none is a shell. */
const KILL_COMMANDS: readonly (readonly string[])[] = [
  ['/bin/kill', '-KILL'],
  ['busybox', 'kill', '-KILL'],
  ['kill', '-KILL'],
];

/** A process that the agent started, as `guest-exec-status` tells of it. */
export interface ProcessStatus {
  readonly ended: boolean;
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
}

/** What `guest-exec` takes. */
export interface ProcessStart {
  readonly path: string;
  readonly arg: readonly string[];
  readonly env?: readonly string[];
  readonly 'input-data'?: string;
}

/** Delays between the looks at a process: short at first, as most commands are. */
export function* pollDelays(): Generator<number, never> {
  for (let delayMs = FIRST_POLL_MS; ; delayMs = Math.min(delayMs * 2, SLOWEST_POLL_MS)) yield delayMs;
}

/** Resolves with the process id. A signal is only for what ends by itself: whose answer is not read, nobody can kill. */
export function startProcess(caller: AgentCaller, start: ProcessStart, signal?: AbortSignal): Promise<number> {
  const options = signal === undefined ? {} : { signal };
  return caller.call('guest-exec', { ...start, 'capture-output': true }, decodePid, options);
}

/** The agent forgets a process once it has told of its end. */
export function processStatus(
  caller: AgentCaller,
  pid: number,
  maxOutputBytes: number,
  signal?: AbortSignal,
): Promise<ProcessStatus> {
  // One byte over the bound tells output that is cut from output that just fits.
  const maxStringBytes = Math.max(LONGEST_NAME_BYTES, Math.ceil((maxOutputBytes + 1) / 3) * 4);
  const limits = { maxStringBytes, maxBytes: 2 * maxStringBytes + 4096 };
  const timeoutMs = Math.min(caller.replyTimeoutMs * OUTPUT_FACTOR, LONGEST_TIMEOUT_MS);
  const options = { limits, timeoutMs, ...(signal === undefined ? {} : { signal }) };
  return caller.call('guest-exec-status', { pid }, (value) => decodeStatus(value, maxOutputBytes), options);
}

/** Looks at the process until it has ended. */
export async function processEnd(
  caller: AgentCaller,
  pid: number,
  maxOutputBytes: number,
  signal: AbortSignal,
): Promise<ProcessStatus> {
  for (const delayMs of pollDelays()) {
    await sleep(caller.clock, delayMs, signal);
    const status = await processStatus(caller, pid, maxOutputBytes, signal);
    if (status.ended) return status;
  }
  throw new Error('unreachable');
}

/**
 * Ends the process with SIGKILL; not its children. True when it is certain to have ended. Never rejects, and takes no longer
 * than the caller's `cleanupTimeoutMs`.
 */
export async function killProcess(caller: AgentCaller, pid: number): Promise<boolean> {
  const limit = new TimeLimit(caller.clock, caller.cleanupTimeoutMs);
  try {
    if (await hasEnded(caller, pid, limit.signal)) return true;
    // Not a process that the agent can have started, and no number to send a signal to.
    if (pid < 2) return false;
    if (!(await sendKill(caller, pid, limit.signal))) return await hasEnded(caller, pid, limit.signal);
    let polls = 0;
    for (const delayMs of pollDelays()) {
      if (polls === POLLS_AFTER_KILL || (await hasEnded(caller, pid, limit.signal))) return true;
      await sleep(caller.clock, delayMs, limit.signal);
      polls += 1;
    }
    return true;
  } catch {
    return false;
  } finally {
    limit.release();
  }
}

async function hasEnded(caller: AgentCaller, pid: number, signal: AbortSignal): Promise<boolean> {
  try {
    return (await processStatus(caller, pid, 0, signal)).ended;
  } catch (error) {
    // The agent knows only processes whose end it has not told yet.
    if (isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')) return true;
    throw error;
  }
}

async function sendKill(caller: AgentCaller, pid: number, signal: AbortSignal): Promise<boolean> {
  for (const [path = '', ...rest] of KILL_COMMANDS) {
    try {
      const killer = await startProcess(caller, { path, arg: [...rest, String(pid)] }, signal);
      if ((await processEnd(caller, killer, 0, signal)).exitCode === 0) return true;
    } catch (error) {
      if (!isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')) throw error;
    }
  }
  return false;
}

function decodePid(value: unknown): number {
  const pid = asCount(asObject(value, 'return').pid, 'pid');
  if (pid < 1) throw new Malformed('pid is not the number of a process');
  return pid;
}

function decodeStatus(value: unknown, maxOutputBytes: number): ProcessStatus {
  const fields = asObject(value, 'return');
  const ended = asBoolean(fields.exited, 'exited');
  const exitCode = asEnd(fields.exitcode, 'exitcode');
  const signal = asEnd(fields.signal, 'signal');
  const stdout = decodeOutput(fields['out-data'], 'out-data', maxOutputBytes);
  const stderr = decodeOutput(fields['err-data'], 'err-data', maxOutputBytes);
  return {
    ended,
    exitCode: signal === null ? exitCode : null,
    signal,
    stdout: stdout.bytes,
    stderr: stderr.bytes,
    stdoutTruncated: stdout.cut || isTrue(fields['out-truncated'], 'out-truncated'),
    stderrTruncated: stderr.cut || isTrue(fields['err-truncated'], 'err-truncated'),
  };
}

/** Windows has 32 bits for both, and some agents give them a sign. Some leave out how a process ended. */
function asEnd(value: unknown, name: string): number | null {
  if (value === undefined || value === null) return null;
  if (Number.isInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 0)
    return (value as number) >>> 0;
  return asCount(value, name, 0xffff_ffff);
}

function decodeOutput(value: unknown, name: string, maxBytes: number): { bytes: Uint8Array; cut: boolean } {
  if (value === undefined || value === null) return { bytes: new Uint8Array(0), cut: false };
  const bytes = asBytes(value, name, maxBytes + 1);
  return { bytes: bytes.slice(0, maxBytes), cut: bytes.length > maxBytes };
}

function isTrue(value: unknown, name: string): boolean {
  return value !== undefined && value !== null && asBoolean(value, name);
}
