import { type CallOptions, type Clock, isWarmvmError, systemClock, WarmvmError } from '@warmvm/core/driver';
import { LONGEST_TIMEOUT_MS, requireInteger } from './check.ts';
import type { GuestAgent } from './guest-agent.ts';
import { excerpt } from './reply.ts';

const SEED_BYTES = 64;
const MAX_ANSWER_BYTES = 4096;
/** In times of the agent's `replyTimeoutMs`: ten seconds by default. */
const RENEWAL_FACTOR = 2;
const DEFAULT_TOLERANCE_MS = 2000;
/** A guest that is just awake may take its time over the first one: the second is set to the moment when it will be read. */
const CLOCK_ATTEMPTS = 4;
/** Where no generation was found. */
const NONE = '-';
const WORD = /^[A-Za-z0-9._:-]{1,128}$/;
const ANSWER = /^warmvm-renewed ([A-Za-z0-9._:-]{1,128}) ([A-Za-z0-9._:-]{1,128}) ([A-Za-z0-9._:-]{1,128})\n$/;

/** What renewing needs of a guest. */
export type RenewableGuest = Pick<GuestAgent, 'setTime' | 'exec' | 'timeMs' | 'replyTimeoutMs'>;

/** Options of {@link renewGuest}. */
export interface RenewGuestOptions extends CallOptions {
  /** `Renewal.command` of the golden image: absolute path in the guest. */
  readonly command: string;
  /** New and used once: 1 to 128 letters, digits, `.`, `_`, `:` and `-`. */
  readonly generationId: string;
  /** As for `generationId`. */
  readonly hostname: string;
  /** 32 lower-case hexadecimal digits. */
  readonly machineId: string;
  /** 64 random bytes, used once. */
  readonly seed: Uint8Array;
  /**
   * Generation that the guest must find in memory and on disk, which proves that both are the golden's; `none` when it must find
   * none. Absent: whatever it finds is in the proof, unchecked.
   */
  readonly expectedPrevious?: string | 'none';
  /** @default systemClock */
  readonly clock?: Clock;
  /** Largest difference between the clocks of guest and host that passes. @default 2000 */
  readonly toleranceMs?: number;
  /** How long the command may run. @default twice the agent's `replyTimeoutMs`: 10000 */
  readonly timeoutMs?: number;
  /** What errors call `timeoutMs`: the name under which your own users set it. @default 'timeoutMs' */
  readonly timeoutOption?: string;
}

/** What a guest has proved of its new generation. */
export interface RenewalProof {
  readonly generationId: string;
  /** Generation that it found in memory; null where none was. */
  readonly memoryGeneration: string | null;
  /** Generation that it found on disk; null where none was. */
  readonly diskGeneration: string | null;
  /** Guest's clock minus the host's, measured in the middle of the round trip. */
  readonly clockSkewMs: number;
}

/**
 * Makes the guest of a fork or reset a new generation and has it prove that: sets its clock, runs the renewal command (entropy,
 * identity), reads its clock, and sets it anew while it is off. Three commands of the agent at least, and one look or two at the process. Fails closed: a machine that this
 * rejects for must not be used.
 *
 * @throws the signal's reason when aborted
 * @throws WARMVM_NOT_READY with `details` `check` (`exec`, `exit`, `answer`, `generation`, `memory`, `disk`, `clock`), `expected`
 * and `got` when any proof is missing; `cause` tells of the agent
 * @throws TypeError, RangeError for a bad option
 */
export async function renewGuest(guest: RenewableGuest, options: RenewGuestOptions): Promise<RenewalProof> {
  requireRenewal(options);
  const { clock = systemClock, toleranceMs = DEFAULT_TOLERANCE_MS, signal } = options;
  requireInteger('toleranceMs', toleranceMs, 0);
  const callOptions: CallOptions = signal === undefined ? {} : { signal };
  await attemptSetTime(guest, clock.wallTimeMs(), callOptions);
  const found = await runRenewal(guest, options, callOptions);
  const clockSkewMs = await settleClock(guest, clock, toleranceMs, callOptions);
  return { generationId: options.generationId, ...found, clockSkewMs };
}

/**
 * The agent also wants to write the hardware clock, and refuses where it cannot although the system clock is set by then. What
 * counts is the clock that is read afterwards.
 */
async function attemptSetTime(guest: RenewableGuest, timeMs: number, options: CallOptions): Promise<unknown> {
  try {
    await guest.setTime(timeMs, options);
    return undefined;
  } catch (error) {
    if (isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED') || isWarmvmError(error, 'WARMVM_NOT_SUPPORTED')) return error;
    throw isGuestFault(error) ? notRenewed('clock', 'the clock can be set', excerpt(error.message), error) : error;
  }
}

async function runRenewal(
  guest: RenewableGuest,
  options: RenewGuestOptions,
  callOptions: CallOptions,
): Promise<Pick<RenewalProof, 'memoryGeneration' | 'diskGeneration'>> {
  const { command, generationId, hostname, machineId, seed, expectedPrevious } = options;
  const {
    timeoutMs = Math.min(guest.replyTimeoutMs * RENEWAL_FACTOR, LONGEST_TIMEOUT_MS),
    timeoutOption = 'timeoutMs',
  } = options;
  const execOptions = {
    ...callOptions,
    stdin: seed,
    timeoutMs,
    maxOutputBytes: MAX_ANSWER_BYTES,
  };
  const result = await guest.exec([command, generationId, hostname, machineId], execOptions).catch((error: unknown) => {
    if (!isGuestFault(error)) throw error;
    const remedy = error.details.timedOut === true ? ` If the guest is merely slow, raise ${timeoutOption}.` : '';
    throw notRenewed('exec', 'the command runs', `${excerpt(error.message)}${remedy}`, error);
  });
  if (result.exitCode !== 0) {
    const end = result.exitCode === null ? `signal ${result.signal}` : `exit code ${result.exitCode}`;
    throw notRenewed('exit', 'exit code 0', `${end}: ${excerpt(Buffer.from(result.stderr).toString('utf8'))}`);
  }
  const answer = Buffer.from(result.stdout).toString('latin1');
  const [, echoed = '', memory = '', disk = ''] = ANSWER.exec(answer) ?? [];
  if (echoed === '' || result.stdoutTruncated) throw notRenewed('answer', 'one warmvm-renewed line', excerpt(answer));
  if (echoed !== generationId) throw notRenewed('generation', generationId, echoed);
  if (expectedPrevious !== undefined) {
    const expected = expectedPrevious === 'none' ? NONE : expectedPrevious;
    if (memory !== expected) throw notRenewed('memory', expected, memory);
    if (disk !== expected) throw notRenewed('disk', expected, disk);
  }
  return { memoryGeneration: memory === NONE ? null : memory, diskGeneration: disk === NONE ? null : disk };
}

/** Sets the clock again while it is off by more than the tolerance; a delay that repeats itself is allowed for. */
async function settleClock(
  guest: RenewableGuest,
  clock: Clock,
  toleranceMs: number,
  options: CallOptions,
): Promise<number> {
  let setTimeError: unknown;
  for (let attempt = 1; ; attempt += 1) {
    const { skewMs, halfRoundTripMs } = await readClock(guest, clock, options);
    // The tolerance is for the clock, not for a slow agent. But the guest may have looked at any moment of the round trip: the worst one
    // must still be as good as anybody is promised, else a slow answer would hide a wrong clock.
    const worstMs = Math.abs(skewMs) + halfRoundTripMs;
    if (Math.abs(skewMs) <= toleranceMs && worstMs <= Math.max(toleranceMs, DEFAULT_TOLERANCE_MS)) return skewMs;
    if (attempt === CLOCK_ATTEMPTS) {
      const got = `up to ${Math.round(worstMs)} ms off`;
      throw notRenewed('clock', `at most ${toleranceMs} ms off`, got, setTimeError);
    }
    setTimeError = await attemptSetTime(guest, clock.wallTimeMs() + halfRoundTripMs, options);
  }
}

async function readClock(
  guest: RenewableGuest,
  clock: Clock,
  options: CallOptions,
): Promise<{ readonly skewMs: number; readonly halfRoundTripMs: number }> {
  const startedMs = clock.now();
  const startedWallMs = clock.wallTimeMs();
  const guestMs = await guest.timeMs(options).catch((error: unknown) => {
    throw isGuestFault(error) ? notRenewed('clock', 'the clock can be read', excerpt(error.message), error) : error;
  });
  const halfRoundTripMs = (clock.now() - startedMs) / 2;
  return { skewMs: guestMs - (startedWallMs + halfRoundTripMs), halfRoundTripMs };
}

function notRenewed(check: string, expected: string, got: string, cause?: unknown): WarmvmError {
  return new WarmvmError(
    'WARMVM_NOT_READY',
    `The guest did not prove its new generation (${check}): expected ${expected}, got ${got}`,
    { details: { check, expected, got }, ...(cause === undefined ? {} : { cause }) },
  );
}

/** Faults of the guest and its agent; a lost host or machine keeps its own code. */
function isGuestFault(error: unknown): error is WarmvmError {
  return (
    isWarmvmError(error, 'WARMVM_GUEST_UNRESPONSIVE') ||
    isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED') ||
    isWarmvmError(error, 'WARMVM_NOT_SUPPORTED') ||
    isWarmvmError(error, 'WARMVM_HOST_PROTOCOL')
  );
}

function requireRenewal(options: RenewGuestOptions): void {
  const { command, generationId, hostname, machineId, seed, expectedPrevious } = options;
  if (!command.startsWith('/')) throw new TypeError('command must be an absolute path in the guest');
  requireWord('generationId', generationId);
  requireWord('hostname', hostname);
  if (expectedPrevious !== undefined) requireWord('expectedPrevious', expectedPrevious);
  if (!/^[0-9a-f]{32}$/.test(machineId)) throw new TypeError('machineId must be 32 lower-case hexadecimal digits');
  if (seed.length !== SEED_BYTES) throw new RangeError(`seed must have ${SEED_BYTES} bytes, not ${seed.length}`);
}

function requireWord(name: string, value: string): void {
  if (WORD.test(value) && value !== NONE) return;
  throw new TypeError(`${name} must be 1 to 128 letters, digits, ".", "_", ":" and "-", and not "-" alone`);
}
