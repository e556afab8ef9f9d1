import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createPool } from '@warmvm/core';
import { createFakeDriver, fakeImage } from '@warmvm/driver-fake';
import { describe, expect, test as plainTest } from 'vitest';
import { machineTest } from './machine-test.ts';

const test = machineTest((onClose) => {
  const driver = createFakeDriver();
  onClose(() => driver[Symbol.asyncDispose]());
  return createPool({ driver, image: fakeImage(), max: 1 });
});

test.beforeAll(({ pool }) => pool.ready());

describe('a test with a machine', () => {
  const generations = new Map<string, number>();

  test('may do to it what it likes', async ({ guest, lease }) => {
    await guest.writeFile('/etc/hosts', 'rubbish');
    generations.set(lease.machineId, lease.generation);
    expect(guest).toBe(lease.guest);
  });

  test('finds nothing of the one before, though it is the same machine', async ({ guest, lease, pool }) => {
    expect((await guest.exec(['cat', '/etc/hosts'])).exitCode).toBe(1);
    expect(lease.generation).toBeGreaterThan(generations.get(lease.machineId) ?? Number.POSITIVE_INFINITY);
    expect(pool.stats().slots.leased).toBe(1);
  });

  test('takes no machine unless it asks for one', ({ pool }) => {
    expect(pool.stats().slots.leased).toBe(0);
  });
});

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

interface CasesRun {
  /** How each test ended, in order, with the first words of why. */
  readonly results: readonly string[];
  /** What the pools and drivers of the workers did. */
  readonly journal: readonly string[];
}

/** Runs the cases by a Vitest of their own: what becomes of a test that fails can only be seen from outside. */
async function runCases(files: readonly string[]): Promise<CasesRun> {
  const folder = await mkdtemp(join(tmpdir(), 'warmvm-vitest-'));
  try {
    const report = join(folder, 'report.json');
    const args = ['run', '--config', 'cases.config.ts', '--reporter', 'json', '--outputFile', report, ...files];
    await promisify(execFile)(join(process.cwd(), 'node_modules/.bin/vitest'), args, {
      cwd: join(import.meta.dirname, 'fixtures'),
      env: { ...process.env, WARMVM_CASES_JOURNAL: join(folder, 'journal') },
    }).catch(() => {}); // Some of the cases are there to fail.
    const { testResults } = JSON.parse(await readFile(report, 'utf8')) as Report;
    const results = testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .map(({ title, status, failureMessages }) =>
        `${title}: ${status} ${failureMessages[0]?.split('\n')[0] ?? ''}`.trim(),
      );
    return { results, journal: (await readFile(join(folder, 'journal'), 'utf8')).trim().split('\n') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('machineTest', () => {
  plainTest('takes the machine from a test that is out of time, and the next gets it clean', async () => {
    const { results, journal } = await runCases(['timeout.case.ts']);
    expect(results).toEqual([
      expect.stringMatching(/^hangs in the guest: failed .*timed out in 1500ms/),
      'is next, and keeps a machine: passed',
      expect.stringMatching(/^waits for a machine in vain: failed .*timed out in 1500ms/),
      'finds nobody in line: passed',
    ]);
    expect(journal).toEqual(['opened', 'call ended with WARMVM_LEASE_RELEASED', 'closed', 'disposed']);
  });

  plainTest('opens one pool for each worker, and ends the driver also where no pool can be made', async () => {
    const { results, journal } = await runCases(['first.case.ts', 'second.case.ts']);
    expect(results).toEqual(['uses the pool: passed', 'uses the pool too: passed']);
    expect(journal).toEqual(['opened', 'closed', 'disposed']);
    const broken = await runCases(['broken.case.ts']);
    expect(broken.results).toEqual(['has no pool: failed Error: no image']);
    expect(broken.journal).toEqual(['disposed']);
  });
});
