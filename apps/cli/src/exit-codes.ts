import { type ExecResult, isWarmvmError } from '@warmvm/core/driver';

/** Exit codes of the program itself; those of `docker run` and `timeout`, so that scripts know them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  timeout: 124,
  trouble: 125,
  notFound: 127,
  interrupted: 130,
  brokenPipe: 141,
} as const;

/** What each exit code means; the documentation is made from this. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'it is done; of `run` and `shell`: the command ended with 0',
  failed: 'it could not be done, or what was looked at was found wanting',
  usage: 'the command line or the configuration is wrong',
  timeout: '`run`: the time of `--timeout` is over, and the command was killed',
  trouble: '`run` and `shell`: warmvm itself failed: no machine, no host, a file that cannot be copied',
  notFound: '`run` and `shell`: there is no such program in the guest, or it cannot be started',
  interrupted: 'interrupted with Ctrl-C',
  brokenPipe: 'nobody reads the output any more; but for `run` and `top`, which end then, all else was done',
};

/** The guest's program decides: its exit code, or 128 and the number of the signal that ended it. */
export function exitCodeOf({ exitCode, signal }: Pick<ExecResult, 'exitCode' | 'signal'>): number {
  return exitCode ?? 128 + (signal ?? 0);
}

/** What an error of the command itself comes to. */
export function exitCodeOfError(error: unknown): number {
  if (!isWarmvmError(error, 'WARMVM_GUEST_EXEC_FAILED')) return EXIT.trouble;
  return error.details.timedOut === true ? EXIT.timeout : EXIT.notFound;
}
