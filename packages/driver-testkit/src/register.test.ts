import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFakeDriver } from '@warmvm/driver-fake';
import { describe, expect, test } from 'vitest';
import { fakeSubject } from './fixtures/fake-subject.ts';
import { mutantsOfParts } from './fixtures/mutants-of-parts.ts';
import { kitCases, register } from './index.ts';
import { inapplicable } from './needs.ts';

interface Registered {
  readonly name: string;
  readonly timeout: number;
  readonly run: () => Promise<'passed' | { readonly skipped: string | undefined }>;
}

/** A runner that only takes note. */
function collect(subject: Parameters<typeof register>[1]): {
  readonly suite: string;
  readonly tests: readonly Registered[];
} {
  const tests: Registered[] = [];
  let suite = '';
  register(
    {
      describe: (name, define) => {
        suite = name;
        define();
      },
      it: (name, { timeout }, run) => {
        const attempt = async (): ReturnType<Registered['run']> => {
          let outcome: Awaited<ReturnType<Registered['run']>> = 'passed';
          await run({
            skip: (skipped) => {
              outcome = { skipped };
            },
          });
          return outcome;
        };
        tests.push({ name, timeout, run: attempt });
      },
    },
    subject,
  );
  return { suite, tests };
}

describe('register', () => {
  test('makes one test of each case, and one that ends what they share', () => {
    const { suite, tests } = collect(fakeSubject());
    expect(suite).toBe('driver contract: fake');
    expect(tests.map(({ name }) => name)).toEqual([
      ...kitCases.map(({ id, title }) => `${id} ${title}`),
      'ends what the cases shared',
    ]);
  });

  test('leaves each test more time than its case has', () => {
    const { tests } = collect({ ...fakeSubject(), timeScale: 3 });
    kitCases.forEach(({ budgetMs }, index) => {
      expect(tests[index]?.timeout).toBeGreaterThan(budgetMs * 3);
    });
  });

  test('passes, skips with the reason, or throws the very error of the case', async () => {
    const [mutant] = mutantsOfParts.filter(({ wrong }) => wrong === 'keeps the disk over a reset');
    const { tests } = collect(fakeSubject(mutant!.options));
    const run = (id: string): ReturnType<Registered['run']> =>
      tests.find(({ name }) => name.startsWith(`${id} `))!.run();
    expect(await run('RESET-1')).toBe('passed');
    expect(await run('STATE-2.polling')).toEqual({ skipped: 'the manifest does not say: polling' });
    await expect(run('RESET-2')).rejects.toMatchObject({ name: 'AssertionError', code: 'ERR_ASSERTION' });
    expect(await tests.at(-1)!.run()).toBe('passed');
  });

  test('works under the runner of Node itself', { timeout: 60_000 }, async () => {
    const file = join(import.meta.dirname, 'fixtures', 'conformance.node-test.ts');
    const args = ['--conditions=@warmvm/source', '--test', '--test-reporter=tap', file];
    // Vitest's own settings for Node must not reach the runner.
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 16_777_216 });
    const count = (word: string): number => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(stdout)?.[1]);
    expect({ tests: count('tests'), failed: count('fail') }).toEqual({ tests: kitCases.length + 1, failed: 0 });
    const { capabilities } = createFakeDriver({ capabilities: { guestAgent: false } });
    const skipped = kitCases.filter(({ needs }) => inapplicable(needs, capabilities) !== undefined);
    expect(count('skipped')).toBe(skipped.length);
    expect(stdout).toContain('# SKIP the manifest does not say: guest agent');
  });
});
