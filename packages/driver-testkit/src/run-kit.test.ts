import { VirtualClock } from '@warmvm/core/testing';
import { type FakeDriver, fakeImage } from '@warmvm/driver-fake';
import { describe, expect, test } from 'vitest';
import { altered } from './fixtures/altered.ts';
import { fakeSubject } from './fixtures/fake-subject.ts';
import { isConformant, type KitSubject, kitCases, runKit } from './index.ts';
import { kitVersion } from './report.ts';
import { settledWithin } from './time-bound.ts';

/** A subject without one of its hooks. */
function without(hook: 'hostObjects' | 'killMachine' | 'loseHost'): KitSubject {
  const { [hook]: _, ...rest } = fakeSubject();
  return rest as KitSubject;
}

describe('the report', () => {
  test('says what was tested, by what, and how each case ended', async () => {
    const report = await runKit(fakeSubject({ capabilities: { reset: 'none' } }), { only: ['MANIFEST-1', 'RESET-1'] });
    expect(report).toEqual({
      schema: 1,
      kitVersion: kitVersion(),
      driver: 'fake',
      capabilities: expect.objectContaining({ reset: 'none', stateEvents: true }),
      host: expect.objectContaining({ acceleration: 'none' }),
      node: process.version,
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      durationMs: expect.any(Number),
      leftBehind: [],
      results: [
        {
          id: 'MANIFEST-1',
          clause: 'MANIFEST-1',
          title: expect.any(String),
          result: 'passed',
          durationMs: expect.any(Number),
        },
        {
          id: 'RESET-1',
          clause: 'RESET-1',
          title: expect.any(String),
          result: 'not-applicable',
          reason: 'the manifest does not say: reset',
          durationMs: expect.any(Number),
        },
      ],
    });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test('tells of a failure with what led to it', async () => {
    const around = (driver: FakeDriver): FakeDriver =>
      altered(driver, { ping: () => Promise.reject(new Error('no answer', { cause: new Error('cable') })) });
    const { results } = await runKit(fakeSubject({ around }), { only: ['MANIFEST-5'] });
    expect(results).toEqual([
      expect.objectContaining({ result: 'failed', error: 'Error: no answer\ncaused by Error: cable' }),
    ]);
  });
});

describe('runKit', () => {
  test('runs groups, clauses and cases in the order of the kit, each once', async () => {
    const told: string[] = [];
    const only = ['STATE-2', 'MANIFEST', 'MANIFEST-2', 'STATE-2.events'];
    const { results } = await runKit(fakeSubject(), { only, onResult: ({ id }) => told.push(id) });
    const ids = [
      'MANIFEST-1',
      'MANIFEST-2',
      'MANIFEST-3',
      'MANIFEST-4',
      'MANIFEST-5',
      'STATE-2.events',
      'STATE-2.polling',
    ];
    expect(results.map(({ id }) => id)).toEqual(ids);
    expect(told).toEqual(ids);
  });

  test('shares the cases among several subjects, each of which is run once', async () => {
    const subjects = [fakeSubject(), { ...fakeSubject(), poolPrefix: 'kit-beside-' }];
    const { results, leftBehind } = await runKit(subjects);
    expect(results.map(({ id }) => id)).toEqual(kitCases.map(({ id }) => id));
    expect(results.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(leftBehind).toEqual([]);
    await expect(runKit([])).rejects.toThrow(TypeError);
  });

  test('names the pools of the kit as the subject wants it', async () => {
    const pools = new Set<string>();
    const around = (driver: FakeDriver): FakeDriver =>
      altered(driver, {
        prepare: (image, options) => {
          pools.add(options.owner.pool);
          return driver.prepare(image, options);
        },
      });
    await runKit({ ...fakeSubject({ around }), poolPrefix: 'kit-x-' }, { only: ['LIFE-2', 'FORK-1'] });
    expect([...pools].filter((pool) => !pool.startsWith('kit-x-'))).toEqual([]);
    expect(pools.size).toBe(2);
  });

  test('names what is left behind, which no driver that keeps the contract does', async () => {
    let looks = 0;
    const hostObjects = async (): Promise<string[]> => {
      looks += 1;
      return looks === 1 ? ['file of before'] : ['file of before', 'file a'];
    };
    const report = await runKit({ ...fakeSubject(), hostObjects }, { only: ['MANIFEST-1'] });
    expect(report.leftBehind).toEqual(['file a']);
    expect(isConformant(report)).toBe(false);
    expect(isConformant({ ...report, leftBehind: [] })).toBe(true);
    expect(isConformant({ results: [], leftBehind: [] })).toBe(false);
  });

  test('refuses names that it does not know', async () => {
    await expect(runKit(fakeSubject(), { only: ['RESETS'] })).rejects.toThrow(
      new RangeError('only must name cases, clauses or groups of the kit, such as RESET or RESET-1, got "RESETS"'),
    );
  });

  test.each([
    ['name', { name: '' }, /subject\.name must be a text/],
    ['create', { create: undefined }, /subject\.create must be a function/],
    ['goldenImage', { goldenImage: null }, /subject\.goldenImage must be a golden image/],
    ['poolPrefix', { poolPrefix: 'kit/' }, /subject\.poolPrefix must be 1 to 40 letters/],
    ['timeScale', { timeScale: 0 }, /subject\.timeScale must be a finite number above 0, got 0/],
  ])('refuses a subject with a bad %s', async (_, change, message) => {
    await expect(runKit({ ...fakeSubject(), ...change } as KitSubject)).rejects.toThrow(message);
  });

  test('rejects with the reason when it is aborted, and leaves nothing on the host', async () => {
    const subject = fakeSubject();
    const controller = new AbortController();
    const reason = new Error('enough');
    const onResult = ({ id }: { readonly id: string }): void => {
      if (id === 'FORK-1') controller.abort(reason);
    };
    await expect(runKit(subject, { signal: controller.signal, onResult })).rejects.toBe(reason);
    expect(await subject.hostObjects?.()).toEqual([]);
  });

  test('rejects with the reason when it is aborted in the middle of a case', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const subject: KitSubject = {
      ...fakeSubject(),
      killMachine: () => {
        controller.abort(reason);
        return new Promise(() => {});
      },
    };
    await expect(runKit(subject, { signal: controller.signal, only: ['STATE-3'] })).rejects.toBe(reason);
    expect(await subject.hostObjects?.()).toEqual([]);
  });

  test('leaves nothing on the host of a driver that keeps the contract', async () => {
    const subject = fakeSubject();
    await runKit(subject, { only: ['CANCEL', 'CONC', 'DISPOSE', 'RECOVER'] });
    expect(await subject.hostObjects?.()).toEqual([]);
  });

  test.each([
    ['hostObjects', 'DISPOSE-1'],
    ['killMachine', 'STATE-3'],
    ['loseHost', 'RECOVER-17'],
  ] as const)('fails a case that needs %s from a subject without it', async (hook, id) => {
    const { results } = await runKit(without(hook), { only: [id] });
    const error = `AssertionError: subject.${hook} is needed for this case: give it, there is no other way to prove the clause`;
    expect(results).toEqual([expect.objectContaining({ result: 'failed', error })]);
  });

  test('does not ask for killMachine where no case needs it', async () => {
    const { results } = await runKit(without('killMachine'));
    const failed = results.filter(({ result }) => result === 'failed').map(({ id }) => id);
    const needing = ['DISPOSE-3', 'ERROR-6', 'ERROR-7', 'RECOVER-7', 'STATE-2.events', 'STATE-3', 'STATE-8', 'STATE-9'];
    expect(failed.sort()).toEqual(needing);
  });

  test('ends a case that is over its budget, and goes on with the next', async () => {
    const around = (driver: FakeDriver): FakeDriver => altered(driver, { ping: () => new Promise(() => {}) });
    const { results } = await runKit(
      { ...fakeSubject({ around }), timeScale: 0.01 },
      { only: ['MANIFEST-5', 'MANIFEST-1'] },
    );
    expect(results.map(({ id, result, error }) => ({ id, result, error }))).toEqual([
      { id: 'MANIFEST-1', result: 'passed' },
      { id: 'MANIFEST-5', result: 'failed', error: 'AssertionError: case MANIFEST-5: not settled after 300 ms' },
    ]);
  });

  test('stretches its times by a factor that a person gives', async () => {
    const around = (driver: FakeDriver): FakeDriver => altered(driver, { ping: () => new Promise(() => {}) });
    const subject = { ...fakeSubject({ around }), timeScale: 0.01 };
    const { results } = await runKit(subject, { only: ['MANIFEST-5'], timeFactor: 2 });
    expect(results[0]?.error).toBe('AssertionError: case MANIFEST-5: not settled after 600 ms');
    await expect(runKit(subject, { timeFactor: 0 })).rejects.toThrow(
      'timeFactor must be a finite number above 0, got 0',
    );
  });

  test('does not care for a guest whose markers lie elsewhere', async () => {
    const subject = {
      ...fakeSubject(),
      guest: { memory: '/tmp/x', disk: '/disk/x' },
      goldenImage: fakeImage({ name: 'other' }),
    };
    const { results } = await runKit(subject, { only: ['RESET-1', 'RESET-2', 'GUEST-9'] });
    expect(results.map(({ result }) => result)).toEqual(['passed', 'passed', 'passed']);
  });
});

describe('the cases', () => {
  test('have ids of their own, a clause each, and a budget', () => {
    expect(new Set(kitCases.map(({ id }) => id)).size).toBe(kitCases.length);
    for (const { id, clause, budgetMs, title } of kitCases) {
      expect(id.split('.')[0]).toBe(clause);
      expect(budgetMs).toBeGreaterThan(0);
      expect(title).not.toBe('');
    }
  });

  test('that need a host of their own come last', () => {
    const expensive = kitCases.map((kitCase) => kitCase.expensive);
    expect(expensive.lastIndexOf(false)).toBeLessThan(expensive.indexOf(true));
  });
});

describe('a bound of time', () => {
  test('gives what the promise comes to in time, and leaves no timer', async () => {
    const clock = new VirtualClock();
    expect(await settledWithin(clock, 100, 'it', Promise.resolve(1))).toBe(1);
    expect(clock.nextTimerInMs).toBeUndefined();
  });

  test('says what did not happen in time', async () => {
    const clock = new VirtualClock();
    const bound = settledWithin(clock, 100, 'the answer', new Promise(() => {}));
    bound.catch(() => {});
    await clock.advance(99);
    await clock.advance(1);
    await expect(bound).rejects.toThrow('the answer: not settled after 100 ms');
  });

  test('is ended by a signal, before or meanwhile', async () => {
    const clock = new VirtualClock();
    const reason = new Error('enough');
    await expect(settledWithin(clock, 100, 'it', new Promise(() => {}), AbortSignal.abort(reason))).rejects.toBe(
      reason,
    );
    const controller = new AbortController();
    const bound = settledWithin(clock, 100, 'it', new Promise(() => {}), controller.signal);
    controller.abort(reason);
    await expect(bound).rejects.toBe(reason);
    expect(clock.nextTimerInMs).toBeUndefined();
  });
});
