/**
 * What a shell of the guest does before it becomes the program: the agent itself can neither change the folder nor show output
 * of a program that still runs. All that varies comes as arguments, in the order that {@link execScriptArguments} gives them.
 *
 * It has no variables of its own: they would take the place of the program's of the same name.
 *
 * The files have no name any more when the program starts, so nothing is left of them once the agent has closed them.
 */
export const EXEC_SCRIPT = `
[ -z "$3" ] || cd "$3" 2>/dev/null || { echo "there is no folder $3" >&2; exit 126; }
case $4 in
*/*) [ -e "$4" ] ;;
*) command -v "$4" >/dev/null ;;
esac || { echo "there is no program $4" >&2; exit 127; }
case $4 in
*/*) [ -f "$4" ] && [ -x "$4" ] ;;
esac || { echo "$4 is not a file that may be executed" >&2; exit 126; }
[ -z "$2" ] || exec <"$1.in"
exec >>"$1.out" 2>>"$1.err"
rm -f "$1.in" "$1.out" "$1.err"
shift 3
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
