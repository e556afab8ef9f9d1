/** What can be said where a value is wanted. */
export type ValueKind = 'pools' | 'images' | 'drivers' | 'suites' | 'files' | 'nothing';

/**
 * By the option, or else by what its value is called in the help; arguments by what they are called. Options with choices need no line here.
 * A test sees to it that every value of the program is in here.
 */
export const VALUE_KINDS: Readonly<Record<string, ValueKind>> = {
  '--pool': 'pools',
  '--image': 'images',
  '--driver': 'drivers',
  '<file>': 'files',
  '<from:to>': 'files',
  // Of `image rm`.
  '<names...>': 'images',
  // Of `bench`.
  '<suite...>': 'suites',
  '<git-ref>': 'nothing',
  '<driver>': 'drivers',
  // What follows is for the machine.
  '<command...>': 'nothing',
  '<name>': 'nothing',
  '<uri>': 'nothing',
  '<count>': 'nothing',
  '<factor>': 'nothing',
  '<time>': 'nothing',
  '<size>': 'nothing',
  '<text>': 'nothing',
  '<path>': 'nothing',
  '<folder>': 'nothing',
  '<program>': 'nothing',
  '<ids...>': 'nothing',
  '<name=value>': 'nothing',
};
