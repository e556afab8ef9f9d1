import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandLine, quoteArgument, scriptLine } from './remote-command.ts';

/** What a login shell hands to the program: a command line is read as sshd has it read. */
function readBy(shell: string, line: string): string {
  return execFileSync(shell, ['-c', line], { encoding: 'utf8' });
}

const HOSTILE = [
  '/run/a b',
  "/run/it's",
  '/run/"quoted"',
  '/run/$(touch /tmp/owned)',
  '/run/`id`',
  '/run/;reboot',
  '/run/a&b|c>d<e',
  '/run/*?[x]',
  '/run/~root',
  '~root',
  '/run/\\n',
  '/run/#x',
  '#x',
  '/run/!!',
  '/run/{a,b}',
  '/run/(x)',
  '/run/ünïcödé',
  '/run/%s%n',
  '',
];

describe('an argument for a far shell', () => {
  test.each(['/bin/sh', '/bin/bash'])('reaches the program as it is through %s', (shell) => {
    for (const argument of HOSTILE) expect(readBy(shell, commandLine('printf', '%s', argument))).toBe(argument);
  });

  test('reaches a program inside of a script as it is', () => {
    const line = scriptLine('for a; do printf "%s|" "$a"; done', ...HOSTILE);
    expect(readBy('/bin/sh', line)).toBe(HOSTILE.map((argument) => `${argument}|`).join(''));
  });

  test('reaches the program as it is, whatever it is made of', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !/\p{Cc}/u.test(value));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (list) => {
        const said = readBy('/bin/sh', scriptLine('for a; do printf "%s\\0" "$a"; done', ...list));
        expect(said).toBe(list.map((argument) => `${argument}\0`).join(''));
      }),
      { numRuns: 60 },
    );
  });

  test.each(['a\nb', 'a\0b', 'a\rb', '\u001b[2J', '\u007f'])('with control characters is refused: %j', (argument) => {
    expect(() => quoteArgument(argument)).toThrow(TypeError);
  });
});
