/**
 * What a shell of the guest does before it becomes the program: the agent itself can neither change the folder nor show output
 * of a program that still runs. All that varies comes as arguments, in the order that {@link execScriptArguments} gives them.
 *
 * The files have no name any more when the program starts, so nothing is left of them once the agent has closed them.
 */
export const EXEC_SCRIPT = `
f=$1 i=$2 d=$3; shift 3
[ -z "$d" ] || cd "$d" || exit 126
command -v "$1" >/dev/null || { echo "$1: not found" >&2; exit 127; }
[ -z "$i" ] || exec <"$f.in"
exec >>"$f.out" 2>>"$f.err"
rm -f "$f.in" "$f.out" "$f.err"
exec "$@"
`;

/** Makes the pipe that input is written to while the program runs. */
export const PIPE_SCRIPT = 'mkfifo -m 600 "$1.in"';

/** For `sh -c`, after {@link EXEC_SCRIPT}. */
export function execScriptArguments(
  files: string,
  hasInput: boolean,
  workingDirectory: string | undefined,
  command: readonly string[],
): readonly string[] {
  return ['warmvm-exec', files, hasInput ? 'yes' : '', workingDirectory ?? '', ...command];
}
