import { describe, expect, test } from 'vitest';
import { parseRequest, type Request } from './program.ts';
import { SUITES } from './suites.ts';

function parse(...args: string[]): Request {
  return parseRequest(args, () => {});
}

function names(...args: string[]): readonly string[] {
  const request = parse(...args);
  return request.kind === 'list' ? [] : request.suites.map((suite) => suite.name);
}

describe('parseRequest', () => {
  test('takes every suite when none is named', () => {
    expect(names()).toEqual(SUITES.map(({ name }) => name));
    expect(parse()).toMatchObject({ kind: 'run', named: false, drivers: ['fake', 'libvirt'], gate: false });
  });

  test('takes the named ones, in the order in which suites run', () => {
    expect(names('init', 'rpc')).toEqual(['rpc', 'init']);
  });

  test('takes several drivers, also those of packages and paths', () => {
    expect(parse('--driver', 'libvirt', '--driver', './my-driver.ts')).toMatchObject({
      drivers: ['libvirt', './my-driver.ts'],
    });
  });

  test('reads the number of samples and the files', () => {
    const args = [
      '--samples',
      '7',
      '--json',
      'a.json',
      '--html',
      'a.html',
      '--markdown',
      'a.md',
      '--targets',
      't.json',
    ];
    expect(parse('reset', ...args, '--compare', 'base.json', '--across-hosts', '--gate')).toMatchObject({
      kind: 'run',
      named: true,
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

  test('compares with a git ref', () => {
    expect(parse('compare', 'main', 'reset', '--driver', 'libvirt', '--blocks', '6')).toMatchObject({
      kind: 'compare-ref',
      ref: 'main',
      drivers: ['libvirt'],
      blocks: 6,
    });
  });

  test('tells what there is', () => {
    expect(parse('--list')).toEqual({ kind: 'list' });
  });

  test.each([
    [['nothing'], "no suite 'nothing'; there is acquire"],
    [['compare', 'main', 'nothing'], "no suite 'nothing'; there is acquire"],
    [['compare'], "missing required argument 'git-ref'"],
    [['--samples', '0'], 'expected a whole number from 1 to 1000000'],
    [['--samples', '1.5'], 'expected a whole number'],
    [['--driver', ''], 'expected the name of a driver'],
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
