import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { fakeSubject } from './fixtures/fake-subject.ts';
import { mutantsOfAnswers } from './fixtures/mutants-of-answers.ts';
import { mutantsOfCalls } from './fixtures/mutants-of-calls.ts';
import { mutantsOfFaults } from './fixtures/mutants-of-faults.ts';
import { mutantsOfLives } from './fixtures/mutants-of-lives.ts';
import { mutantsOfMachines } from './fixtures/mutants-of-machines.ts';
import { mutantsOfParts } from './fixtures/mutants-of-parts.ts';
import { mutantsOfStreams } from './fixtures/mutants-of-streams.ts';
import { kitCases, runKit } from './index.ts';

// They wait far more than they work.
vi.setConfig({ maxConcurrency: 12 });

const mutants = [
  ...mutantsOfParts,
  ...mutantsOfCalls,
  ...mutantsOfAnswers,
  ...mutantsOfLives,
  ...mutantsOfMachines,
  ...mutantsOfStreams,
  ...mutantsOfFaults,
];

describe.concurrent('a driver that', () => {
  test.for(mutants)(
    '$wrong fails $fails and nothing else',
    { timeout: 120_000 },
    async ({ options, fails }, { expect }) => {
      const { results } = await runKit(fakeSubject(options));
      const failed = results.filter(({ result }) => result === 'failed');
      expect(failed.map(({ id }) => id).sort(), JSON.stringify(failed, null, 1)).toEqual([...fails].sort());
    },
  );
});

test('the README counts cases and broken drivers as they are', () => {
  const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(text).toContain(`: ${kitCases.length} cases that prove`);
  expect(text).toContain(`: ${mutants.length} drivers that break`);
});
