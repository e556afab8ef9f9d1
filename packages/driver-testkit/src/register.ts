import { kitCases } from './cases/index.ts';
import { KitSession } from './session.ts';
import { type KitSubject, parseSubject } from './subject.ts';

/** What a test runner gives a running test; both Vitest and `node:test` do. */
export interface RunnerTest {
  /** Marks the running test as skipped. */
  skip(note?: string): unknown;
}

/** The functions of a test runner that the kit uses: those of Vitest or `node:test` as they are. */
export interface Runner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (
    name: string,
    options: { readonly timeout: number },
    run: (test: RunnerTest) => Promise<void>,
  ) => unknown;
}

/** Time for taking back what a case took, on top of its budget. */
const CLEANUP_MS = 60_000;

/**
 * Registers every case as a test. Cases that the manifest rules out show as skipped, with the reason. The tests need the order in
 * which they are registered, one at a time, and the last one ends what they share.
 * @throws TypeError or RangeError when the subject is none
 */
export function register({ describe, it }: Runner, subject: KitSubject): void {
  const parsed = parseSubject(subject);
  const session = new KitSession(parsed);
  describe(`driver contract: ${parsed.name}`, () => {
    for (const kitCase of kitCases) {
      const timeout = kitCase.budgetMs * parsed.timeScale + CLEANUP_MS;
      it(`${kitCase.id} ${kitCase.title}`, { timeout }, async (test) => {
        const { result, error } = await session.run(kitCase);
        if (result.result === 'failed') throw error;
        if (result.result === 'not-applicable') test.skip(result.reason);
      });
    }
    it('ends what the cases shared', { timeout: CLEANUP_MS }, () => session.closeShared());
  });
}
