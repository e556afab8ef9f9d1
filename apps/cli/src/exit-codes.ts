import { type ExecResult, isWarmvmError } from '@warmvm/core';

/** Exit codes of the program itself; those of `docker run` and `timeout`, so that scripts know them. */
export const EXIT = {
  ok: 0,
  /** What was asked for was found wanting: a proof, a case, a floor. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** `--timeout` is over. */
  timeout: 124,
  /** warmvm itself could not do it: no machine, no hypervisor, lost. */
  trouble: 125,
  /** There is no such program in the guest, or it cannot be run. */
  notFound: 127,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** The guest's program decides: its exit code, or 128 and the number of the signal that ended it. */
export function exitCodeOf({ exitCode, signal }: Pick<ExecResult, 'exitCode' | 'signal'>): number {
  return exitCode ?? 128 + (signal ?? 0);
}

/** What an error of a command in the guest comes to. */
export function exitCodeOfError(error: unknown): number {
  if (!isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')) return EXIT.trouble;
  return error.details.timedOut === true || error.details.reason === 'timeout' ? EXIT.timeout : EXIT.notFound;
}
