import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../program.ts';
import { complete, knownKindOf, type NameSource } from './complete.ts';
import { completionLines } from './lines.ts';
import { FILES } from './scripts.ts';

const program = createProgram({ write: () => {}, writeError: () => {} });
const names: NameSource = async (kind) =>
  [`${kind}-a`, `${kind}-b`].map((value) => ({ value, description: 'a\tname' }));

async function asked(...words: string[]): Promise<readonly string[] | 'files'> {
  const found = await complete(program, words, names);
  return found.kind === 'files' ? 'files' : found.values.map(({ value }) => value);
}

/** Every command, with all below it. */
function all(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(all)];
}

describe('completion', () => {
  test.each<[string[], readonly string[] | 'files']>([
    [['po'], ['pool']],
    [
      ['pool', 'st'],
      ['start', 'status'],
    ],
    [
      ['pool', ''],
      ['start', 'status', 'drain', 'help'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['start', '--driver', 'lib'],
      ['libvirt', 'libvirt-ssh'],
    ],
    [
      ['run', '--driver', ''],
      ['drivers-a', 'drivers-b'],
    ],
    [['run', '--driver', './my'], 'files'],
    [['run', '--driver=drivers-b'], ['--driver=drivers-b']],
    [['run', '--driver', '=', 'drivers-b'], ['drivers-b']],
    [
      ['run', '--driver', '='],
      ['drivers-a', 'drivers-b'],
    ],
    [['run', '--config='], 'files'],
    [['run', '--config', ''], 'files'],
    [
      ['pool', 'status', '--pool', ''],
      ['pools-a', 'pools-b'],
    ],
    [['pool', 'start', '--name', ''], []],
    [['run', '--image', 'images-b'], ['images-b']],
    [
      ['image', 'rm', 'x', 'images-'],
      ['images-a', 'images-b'],
    ],
    [['image', 'import', ''], 'files'],
    [['top', '--o'], ['--once']],
    [['run', '-'], expect.arrayContaining(['--env', '-e'])],
    [['run', '--env', 'A=1', '--timeo'], ['--timeout']],
    [['bench', 'co'], ['compare']],
    [
      ['bench', 'suites-'],
      ['suites-a', 'suites-b'],
    ],
    [['bench', 'suites-a', 'suites-b'], ['suites-b']],
    [['run', '--', ''], []],
    [['run', '--', '--'], []],
    [['run', 'uname', '--tim'], []],
    [['kit', '--only', 'RESET', 'GUEST', '--dri'], ['--driver']],
    [['dance', ''], expect.any(Array)],
    [['--nonsense', 'po'], ['pool']],
    [['run', '--nonsense='], []],
    [[], expect.arrayContaining(['run', 'top', 'completion'])],
  ])('of %j is %j', async (words, expected) => {
    expect(await asked(...words)).toEqual(expected);
  });

  test('shows options where nothing else can stand', async () => {
    expect(await asked('doctor', '')).toEqual(expect.arrayContaining(['--fix', '--json']));
  });

  test('does not offer what only shells ask', async () => {
    expect(await asked('comp')).toEqual(['completion']);
  });

  test('knows what each value of the program is', () => {
    for (const command of all(program)) {
      const valued = command.options.filter(({ required, optional }) => required || optional);
      for (const wanted of [...valued, ...command.registeredArguments]) {
        if (wanted.argChoices !== undefined || command.name() === 'complete') continue;
        const name = 'flags' in wanted ? wanted.flags : wanted.name();
        expect(knownKindOf(wanted), `${command.name()} ${name}`).toBeDefined();
      }
    }
  });

  test('has nothing to say where names cannot be had', async () => {
    const broken = await complete(program, ['run', '--image', ''], () => Promise.reject(new Error('no folder')));
    expect(broken).toEqual({ kind: 'values', values: [] });
  });
});

test('a shell reads a line for each candidate, whatever its description holds', () => {
  const value = { value: 'a', description: 'one\ttwo\nthree' };
  expect(completionLines({ kind: 'values', values: [value, value] })).toBe('a\tone two three\na\tone two three\n');
  expect(completionLines({ kind: 'files' })).toBe(`${FILES}\n`);
});
