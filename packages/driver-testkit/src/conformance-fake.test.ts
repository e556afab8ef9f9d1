import { describe, it, test } from 'vitest';
import { type FakeSubjectOptions, fakeSubject } from './fixtures/fake-subject.ts';
import { kitCases, register, runKit } from './index.ts';
import { inapplicable } from './needs.ts';

register({ describe, it }, fakeSubject());

/** Every manifest that changes what is asked of a driver. */
const MANIFESTS: readonly NonNullable<FakeSubjectOptions['capabilities']>[] = [
  { reset: 'disk' },
  { reset: 'none', concurrentForks: 1 },
  { stateEvents: false },
  { guestAgent: false },
  { survivesReconnect: false },
  { reset: 'disk', forkCost: 'boot', stateEvents: false, survivesReconnect: false },
  { reset: 'none', guestAgent: false, stateEvents: false },
];

describe.concurrent('the fake keeps the contract', () => {
  test.for(MANIFESTS)('with the manifest %j', { timeout: 60_000 }, async (capabilities, { expect }) => {
    const { results } = await runKit(fakeSubject({ capabilities }));
    expect(results.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(results.map(({ id }) => id)).toEqual(kitCases.map(({ id }) => id));
  });

  test('and each case applies to one of these manifests', async ({ expect }) => {
    const reports = await Promise.all(
      [{}, ...MANIFESTS].map(async (capabilities) => {
        const driver = await fakeSubject({ capabilities }).create();
        return driver.capabilities;
      }),
    );
    for (const { id, needs } of kitCases) {
      expect(
        reports.some((capabilities) => inapplicable(needs, capabilities) === undefined),
        id,
      ).toBe(true);
    }
  });
});
