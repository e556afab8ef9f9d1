import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runSuites } from './run.ts';
import type { SuiteResult } from './suite.ts';
import { chooseSuites } from './suites.ts';

describe('runSuites', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warmvm-bench-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function run(samples: number): Promise<{ text: string; results: readonly SuiteResult[] }> {
    let text = '';
    const json = join(folder, 'result.json');
    await runSuites({
      suites: chooseSuites(['acquire'], undefined),
      samples,
      json,
      signal: new AbortController().signal,
      write: (piece) => {
        text += piece;
      },
    });
    const { schema, suites } = JSON.parse(await readFile(json, 'utf8')) as { schema: number; suites: SuiteResult[] };
    expect(schema).toBe(1);
    return { text, results: suites };
  }

  test('writes every sample and what it was taken in', async () => {
    const { results } = await run(20);
    expect(results[0]).toMatchObject({ suite: 'acquire', driver: 'fake', environment: { node: process.version } });
    expect(results[0]?.figures.acquire?.samples).toHaveLength(20);
    expect(results[0]?.figures['acquire-5']?.samples).toHaveLength(20);
  });

  test('proves that a warm acquire waits for no turn of the event loop', async () => {
    const { results } = await run(20);
    expect(results[0]?.facts).toMatchObject({
      'acquires that waited for a turn of the event loop (I/O or timer)': 0,
    });
  });

  test('prints what was measured beside what is stated', async () => {
    const { text } = await run(5);
    expect(text).toMatch(/five leases at once.*< 200 ms.*<= 5 ms.*p99/);
    expect(text).toContain('load average');
  });

  test('ends with the reason of its signal', async () => {
    const reason = new Error('enough');
    const suites = chooseSuites(['acquire'], undefined);
    const run = runSuites({ suites, signal: AbortSignal.abort(reason), write: () => {} });
    await expect(run).rejects.toBe(reason);
  });
});
