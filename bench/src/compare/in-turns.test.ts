import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { benchResult, suiteResult } from '../fixtures/results.ts';
import { PLAIN_STYLE } from '../report/terminal/style.ts';
import type { CompareDriverRequest } from '../request.ts';
import type { BenchScene } from '../scene.ts';
import { compareDriver } from './compare-driver.ts';
import { compareInTurns, type Side } from './in-turns.ts';

const SOURCES = fileURLToPath(new URL('..', import.meta.url));
const MINE = './fixtures/subject.ts';

function scene(said: string[], signal = new AbortController().signal): BenchScene {
  const listen: BenchScene['view']['listen'] = (progress) => {
    if (progress.type === 'step') said.push(progress.text);
  };
  return { signal, write: () => {}, view: { listen, close: async () => {} }, style: PLAIN_STYLE, folder: SOURCES };
}

/** A side whose every run has five samples of a middle. */
function scripted(label: string, middle: number, runs: string[], onRun = (): void => {}): Side {
  return {
    label,
    async run() {
      runs.push(label);
      onRun();
      const samples = [0.98, 0.99, 1, 1.01, 1.02].map((part) => middle * part);
      return benchResult([
        suiteResult((recorder) => {
          for (const sample of samples) recorder.add('to ready', sample);
        }),
      ]);
    },
  };
}

describe('two sides in turns', () => {
  test('begin in turned order, and the difference of all their runs is called', async () => {
    const runs: string[] = [];
    const [base, current] = [scripted('old', 100, runs), scripted('new', 130, runs)];
    const result = await compareInTurns({ base, current, blocks: 4 }, [], scene([]));
    expect(runs.join(' ')).toBe('old new new old old new new old');
    expect(result.suites[0]?.figures['to ready']).toMatchObject({ p50: 130, blocks: [5, 5, 5, 5] });
    expect(result.comparison).toMatchObject({
      base: { label: 'old' },
      current: { label: 'new' },
      interleaved: true,
      figures: [{ figure: 'to ready', call: 'worse', base: { samples: 20 }, current: { samples: 20 }, ratio: 1.3 }],
    });
    expect(result.gate.passed).toBe(false);
  });

  test('end with the signal, before the next of them is run', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const runs: string[] = [];
    const base = scripted('old', 1, runs, () => controller.abort(reason));
    const current = scripted('new', 1, runs);
    await expect(compareInTurns({ base, current, blocks: 4 }, [], scene([], controller.signal))).rejects.toBe(reason);
    expect(runs).toEqual(['old']);
  });
});

describe('a driver against another', () => {
  const request: CompareDriverRequest = {
    kind: 'compare-driver',
    suites: ['acquire'],
    drivers: [MINE],
    against: 'fake',
    samples: 20,
    blocks: 2,
    gate: false,
  };

  test('has processes of its own, and its figures beside those of the other', { timeout: 60_000 }, async () => {
    const said: string[] = [];
    const { suites, comparison } = await compareDriver(request, [], scene(said));
    expect(said.filter((text) => text.startsWith('running'))).toEqual([
      'running fake',
      `running ${MINE}`,
      `running ${MINE}`,
      'running fake',
    ]);
    expect(suites).toMatchObject([{ suite: 'acquire', driver: MINE }]);
    expect(comparison).toMatchObject({ base: { label: 'fake' }, current: { label: MINE }, interleaved: true });
    const figures = Object.values(suites[0]!.figures);
    expect(figures.map(({ blocks }) => blocks.length)).toEqual(figures.map(() => 2));
    expect(comparison?.figures.map(({ base }) => base.samples)).toEqual(figures.map(({ samples }) => samples.length));
    expect(comparison?.onlyInBase).toEqual([]);
  });

  test('that cannot be run is told with what it printed', { timeout: 60_000 }, async () => {
    await expect(compareDriver({ ...request, against: './none.ts' }, [], scene([]))).rejects.toThrow(
      /a process of acquire, driver \.\/none\.ts ended with 1:\n.*the file "\.\/none\.ts" cannot be loaded/s,
    );
  });

  test.each([
    [[], /name one with --driver, got none$/],
    [['fake', 'qemu'], /name one with --driver, got fake, qemu$/],
    [['fake'], /got fake twice: one build needs another path$/],
  ])('is refused for %j', async (drivers, why) => {
    await expect(compareDriver({ ...request, drivers }, [], scene([]))).rejects.toThrow(why);
  });
});
