/** What every shell takes for itself outside of quotes. */
const PLAIN = /[A-Za-z0-9_./:@%+=,-]/;

/**
 * One argument of a command that the far login shell will read. A backslash before each special character means the same to
 * sh, csh and fish; quotes do not.
 * @throws TypeError for control characters, which no path or name that means well contains
 */
export function quoteArgument(argument: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that they are refused is the point
  if (/[\u0000-\u001f\u007f]/.test(argument)) {
    throw new TypeError(
      `${JSON.stringify(argument)} holds control characters, expected none in an argument of a command`,
    );
  }
  if (argument === '') return "''";
  return [...argument].map((char) => (PLAIN.test(char) || char > '\u007f' ? char : `\\${char}`)).join('');
}

/** A command line of a program and its arguments, each read by the far shell as it is here. */
export function commandLine(program: string, ...list: readonly string[]): string {
  return [program, ...list].map(quoteArgument).join(' ');
}

/** A command line that runs a script of one line with the arguments as its `$1`, `$2`, ...: nothing of them becomes part of the script. */
export function scriptLine(script: string, ...list: readonly string[]): string {
  return commandLine('sh', '-c', script, 'warmvm', ...list);
}
