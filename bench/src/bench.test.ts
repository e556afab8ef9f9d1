import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bench } from './bench.ts';
import { benchResult, suiteResult } from './fixtures/results.ts';
import { PLAIN_STYLE } from './report/terminal/style.ts';
import type { RunRequest } from './request.ts';
import { readResult, writeResult } from './result/result-file.ts';

const ACQUIRE: RunRequest = {
  kind: 'run',
  suites: ['acquire'],
  drivers: ['fake'],
  samples: 20,
  gate: false,
  acrossHosts: false,
  inProcess: true,
};

describe('bench', () => {
  let folder: string;
  let text: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warmvm-bench-'));
    text = '';
  });
  afterEach(() => rm(folder, { recursive: true }));

  function run(request: Partial<RunRequest> | { readonly kind: 'list' }): Promise<number> {
    const write = (piece: string): void => {
      text += piece;
    };
    const { signal } = new AbortController();
    const view = { listen: () => {}, close: async () => {} };
    return bench({ ...ACQUIRE, ...request }, { signal, write, view, style: PLAIN_STYLE, folder });
  }

  async function targets(floor: number): Promise<string> {
    const file = join(folder, 'targets.json');
    const row = { id: 'mine', suite: 'acquire', figure: 'acquire', what: 'a lease', statistic: 'p50', unit: 'ms' };
    await writeFile(
      file,
      JSON.stringify([{ ...row, better: 'lower', stated: null, statedBound: null, floor, goal: null }]),
    );
    return file;
  }

  test('tells which suites and drivers there are', async () => {
    expect(await run({ kind: 'list' })).toBe(0);
    expect(text).toMatch(/drivers: fake, libvirt.*package or path/);
    expect(text).toMatch(/ {2}reset +a dirty machine/);
  });

  test('closes the gate where a floor of your own is missed, says why, and opens it where it is met', async () => {
    expect(await run({ gate: true, targets: await targets(1e-9) })).toBe(1);
    expect(text).toMatch(/✗ mine \(fake\): p50 of 'acquire' is [\d.e-]+, expected at most 1e-9 \(ms\)/);
    expect(await run({ gate: true, targets: await targets(1e9) })).toBe(0);
  });

  test('does not change the exit code where no gate was asked for', async () => {
    expect(await run({ targets: await targets(1e-9) })).toBe(0);
  });

  test('closes the gate where a figure got worse than in the file', async () => {
    const json = join(folder, 'a.json');
    await run({ json });
    const base = await readResult(json);
    const quick = base.suites.map((suite) => ({
      ...suiteResult((recorder) => {
        for (let sample = 0; sample < 20; sample += 1) recorder.add('acquire', 1e-9 * (1 + sample / 100));
      }),
      suite: suite.suite,
      driver: suite.driver,
      environment: suite.environment,
    }));
    await writeResult(json, benchResult(quick));
    expect(await run({ compare: json, gate: true, targets: await targets(1e9) })).toBe(1);
    expect(text).toMatch(/✗ 'acquire' of acquire on fake is worse/);
  });

  test('spreads microseconds over processes, each a block of the samples', async () => {
    const json = join(folder, 'apart.json');
    expect(await run({ samples: 25, json, inProcess: false })).toBe(0);
    const { suites } = await readResult(json);
    expect(suites[0]?.figures.acquire?.blocks).toEqual([5, 5, 5, 5, 5]);
  });

  test('reads what it compares with before it measures anything', async () => {
    const file = join(folder, 'old.json');
    await writeFile(file, '{"schema": 1}');
    await expect(run({ compare: file })).rejects.toThrow('schema 1, expected 2');
  });

  test('sees before it measures that a file cannot be written', async () => {
    await expect(run({ json: join(folder, 'no/where.json') })).rejects.toThrow('--json');
    expect(await readdir(folder)).toEqual([]);
  });

  test('takes a driver from a module of yours', async () => {
    const kit = new URL('./fixtures/subject.ts', import.meta.url).pathname;
    const json = join(folder, 'mine.json');
    expect(await run({ suites: ['acquire', 'cycle'], drivers: [kit], samples: 10, json })).toBe(0);
    const { suites } = await readResult(json);
    expect(suites.map(({ suite, driver }) => [suite, driver])).toEqual([
      ['acquire', kit],
      ['cycle', kit],
    ]);
  });

  test('refuses a suite that is none', async () => {
    await expect(run({ suites: ['nothing'] })).rejects.toThrow("no suite 'nothing'; there is acquire");
  });

  test('says what a module lacks for a suite that was named', async () => {
    const kit = new URL('./fixtures/subject.ts', import.meta.url).pathname;
    await expect(run({ suites: ['density'], drivers: [kit] })).rejects.toThrow(
      /suite density cannot be run .*: the host of this driver has no processOf/,
    );
  });
});
