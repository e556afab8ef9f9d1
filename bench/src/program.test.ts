import { describe, expect, test } from 'vitest';
import { parseRequest } from './program.ts';

function names(...args: string[]): readonly string[] {
  return parseRequest(args, () => {}).suites.map((suite) => suite.name);
}

describe('parseRequest', () => {
  test('takes every suite when none is named', () => {
    expect(names()).toEqual(['acquire', 'pool-engine', 'rpc', 'list', 'reset', 'init']);
  });

  test('takes the named ones, in the order in which suites run', () => {
    expect(names('init', 'rpc')).toEqual(['rpc', 'init']);
  });

  test('takes the suites of one driver', () => {
    expect(names('--driver', 'fake')).toEqual(['acquire', 'pool-engine']);
  });

  test('reads the number of samples and the file', () => {
    expect(parseRequest(['--samples', '7', '--json', 'out.json'], () => {})).toMatchObject({
      samples: 7,
      json: 'out.json',
    });
  });

  test.each([
    [['nothing'], "no suite 'nothing'; there is acquire"],
    [['reset', '--driver', 'fake'], "no suite 'reset' of driver fake; there is acquire, pool-engine"],
    [['--samples', '0'], 'expected a whole number from 1 to 1000000'],
    [['--samples', '1.5'], 'expected a whole number'],
    [['--driver', 'kvm'], 'Allowed choices are fake, libvirt'],
  ])('explains what is wrong with %j', (args, expected) => {
    let said = '';
    expect(() =>
      parseRequest(args, (text) => {
        said += text;
      }),
    ).toThrow();
    expect(said).toContain(expected);
  });
});
