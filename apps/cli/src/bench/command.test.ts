import { SUITE_NAMES } from '@warmvm/bench/names';
import { afterEach, describe, expect, test } from 'vitest';
import { createProgram } from '../program.ts';
import { benchCommand } from './command.ts';

afterEach(() => {
  process.exitCode = 0;
});

/** What the command asks to be done; what it says when it refuses. */
async function parse(...args: string[]): Promise<{ readonly asked: unknown; readonly said: string }> {
  let asked: unknown;
  let said = '';
  const write = (text: string): void => {
    said += text;
  };
  const work = {
    async runBenchCommand(suites: readonly string[], options: object) {
      asked = { suites, ...options };
      return 0;
    },
    async runBenchCompareCommand(ref: string, suites: readonly string[], options: object) {
      asked = { ref, suites, ...options };
      return 3;
    },
    async runBenchAgainstCommand(driver: string, suites: readonly string[], options: object) {
      asked = { against: driver, suites, ...options };
      return 4;
    },
  };
  const command = benchCommand({ write, writeError: write }, async () => work)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  for (const below of command.commands) below.copyInheritedSettings(command);
  await command.parseAsync(args, { from: 'user' }).catch(() => {});
  return { asked, said };
}

describe('warmvm bench', () => {
  test('asks for no suite by name, and names no driver, when none is said', async () => {
    expect((await parse()).asked).toEqual({ suites: [] });
  });

  test('takes suites, several drivers, also those of packages and paths, and the files', async () => {
    const files = ['--json', 'a.json', '--html', 'a.html', '--markdown', 'a.md', '--targets', 't.json'];
    const args = ['init', 'rpc', '--driver', 'libvirt', '--driver', './my-driver.js', '--samples', '7', ...files];
    expect((await parse(...args, '--compare', 'base.json', '--across-hosts', '--gate')).asked).toEqual({
      suites: ['init', 'rpc'],
      driver: ['libvirt', './my-driver.js'],
      samples: 7,
      json: 'a.json',
      html: 'a.html',
      markdown: 'a.md',
      targets: 't.json',
      compare: 'base.json',
      acrossHosts: true,
      gate: true,
    });
  });

  test('compares with another driver, and ends with the code of that', async () => {
    const { asked } = await parse('against', './old.js', 'reset', '--driver', './new.js', '--gate');
    expect(asked).toEqual({ against: './old.js', suites: ['reset'], driver: './new.js', blocks: 4, gate: true });
    expect(process.exitCode).toBe(4);
  });

  test('compares with another driver only where one is named', async () => {
    const { asked, said } = await parse('against', './old.js', 'reset');
    expect(asked).toBeUndefined();
    expect(said).toContain("required option '--driver <driver>' not specified");
  });

  test('compares with a git ref, and ends with the code of that', async () => {
    const { asked } = await parse('compare', 'main', 'reset', '--driver', 'libvirt', '--blocks', '6');
    expect(asked).toEqual({ ref: 'main', suites: ['reset'], driver: ['libvirt'], blocks: 6 });
    expect(process.exitCode).toBe(3);
  });

  test('keeps its own processes to itself', async () => {
    const { asked, said } = await parse('--in-process');
    expect(asked).toMatchObject({ inProcess: true });
    expect(said).toBe('');
    expect((await parse('--help')).said).not.toContain('in-process');
  });

  test.each([
    [['nothing'], `expected one of ${SUITE_NAMES.join(', ')}`],
    [['compare', 'main', 'nothing'], 'expected one of acquire'],
    [['compare'], "missing required argument 'git-ref'"],
    [['--samples', '0'], 'expected a whole number from 1 to 1000000'],
    [['--samples', '1.5'], 'expected a whole number'],
    [['--driver', ''], 'expected the name of a driver'],
  ])('explains what is wrong with %j', async (args, expected) => {
    const { asked, said } = await parse(...args);
    expect(asked).toBeUndefined();
    expect(said).toContain(expected);
  });

  test('has an option for stacks, as its command for another commit has', () => {
    const program = createProgram({ write: () => {}, writeError: () => {} });
    const bench = program.commands.find((command) => command.name() === 'bench')!;
    for (const command of [bench, ...bench.commands]) expect(command.helpInformation()).toContain('--debug');
  });
});
