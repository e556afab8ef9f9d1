import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadSettings } from 'warmvm';
import { runCi } from './ci.ts';
import type { Summary } from './report.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-demo-ci-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Run {
  readonly summary: Summary;
  readonly printed: string;
}

async function run(jobs: readonly object[], { max = 2, signal = new AbortController().signal } = {}): Promise<Run> {
  const path = join(folder, 'jobs.json');
  await writeFile(path, JSON.stringify(jobs));
  let printed = '';
  const summary = await runCi({
    jobs: path,
    results: join(folder, 'results'),
    settings: await loadSettings({ driver: 'fake', minReady: 1, max }, { folder, environment: {} }),
    async write(text) {
      printed += text;
    },
    onProgress: () => {},
    signal,
  });
  return { summary, printed };
}

const result = (name: string): Promise<string> => readFile(join(folder, 'results', name), 'utf8');

describe('a list of jobs', () => {
  test('is run with its files, its variables, its output by name, and its artifacts', async () => {
    await writeFile(join(folder, 'input.txt'), 'from outside\n');
    const { summary, printed } = await run([
      {
        name: 'copies',
        files: { 'input.txt': '/tmp/in' },
        environment: { COLOUR: 'blue' },
        steps: [['cat', '/tmp/in'], ['env']],
        artifacts: { 'deep/out.txt': '/tmp/in' },
      },
      { name: 'talks', steps: [['echo', 'hello']] },
    ]);
    expect(summary).toMatchObject({ schema: 1, drivers: ['fake'], passed: true });
    expect(summary.jobs.map(({ name, outcome, artifacts }) => [name, outcome, artifacts])).toEqual([
      ['copies', 'passed', ['deep/out.txt']],
      ['talks', 'passed', []],
    ]);
    expect(printed).toContain('[copies] from outside\n');
    expect(printed).toContain('[copies] COLOUR=blue\n');
    expect(printed).toContain('[talks] hello\n');
    expect(await result('copies/deep/out.txt')).toBe('from outside\n');
    expect(JSON.parse(await result('summary.json'))).toEqual(summary);
  });

  test.each([
    ['a step fails', { steps: [['false'], ['echo', 'never']] }, 'failed', [1], 'false ended with 1'],
    ['the time is over', { steps: [['sleep', '60']], timeoutMs: 20 }, 'timed-out', [null], 'not done after 20 ms'],
    ['there is no such program', { steps: [['nonesuch']] }, 'error', [null], 'WARMVM_GUEST_EXEC_FAILED'],
    ['an artifact is missing', { steps: [['true']], artifacts: { a: '/tmp/a' } }, 'failed', [0], 'there is no /tmp/a'],
    ['a file is missing', { steps: [['true']], files: { a: '/tmp/a' } }, 'error', [], 'a cannot be read'],
  ])('goes on with the others when %s in one', async (_what, job, outcome, exitCodes, message) => {
    const { summary } = await run([
      { name: 'bad', ...job },
      { name: 'good', steps: [['true']] },
    ]);
    const [bad, good] = summary.jobs;
    expect(bad).toMatchObject({ outcome, message: expect.stringContaining(message) });
    expect(bad?.steps.map(({ exitCode }) => exitCode)).toEqual(exitCodes);
    expect([good?.outcome, summary.passed]).toEqual(['passed', false]);
  });

  test('keeps the artifacts of a job that has failed', async () => {
    const { summary } = await run([
      { name: 'bad', steps: [['tee', '/tmp/log'], ['false']], artifacts: { log: '/tmp/log', none: '/tmp/none' } },
    ]);
    expect(summary.jobs[0]).toMatchObject({ outcome: 'failed', artifacts: ['log'], message: 'false ended with 1' });
  });

  test('has nothing in its machine of the job before', async () => {
    const { summary } = await run(
      [
        { name: 'leaves', steps: [['tee', '/tmp/left']] },
        { name: 'finds', steps: [['cat', '/tmp/left']] },
      ],
      { max: 1 },
    );
    expect(summary.jobs.map(({ outcome }) => outcome)).toEqual(['passed', 'failed']);
    expect(summary.jobs[1]?.machineId).toBe(summary.jobs[0]?.machineId);
  });

  test('is told to a CI service as JUnit, with what a guest says made harmless', async () => {
    const { printed } = await run([
      { name: 'good', steps: [['true']] },
      { name: 'bad', steps: [['echo', '<b>\u001b[2Jred\u0007&'], ['false']] },
    ]);
    expect(printed).toContain('[bad] <b>red&\n');
    const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' });
    const { testsuite } = parser.parse(await result('junit.xml')).testsuites;
    expect(testsuite).toMatchObject({ tests: '2', failures: '1', errors: '0' });
    expect(testsuite.testcase).toMatchObject([
      { name: 'good' },
      { name: 'bad', failure: { '#text': '<b>red&', message: 'false ended with 1', type: 'failed' } },
    ]);
  });

  test('is given up as a whole, and says why', async () => {
    const interruption = new AbortController();
    const reason = new Error('interrupted');
    setImmediate(() => interruption.abort(reason));
    const running = run([{ name: 'long', steps: [['sleep', '60']] }], { signal: interruption.signal });
    await expect(running).rejects.toBe(reason);
  });
});
