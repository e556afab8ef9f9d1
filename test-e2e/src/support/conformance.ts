import {
  type KitReport,
  type KitResult,
  kitCases,
  openSubjects,
  runKit,
  type SubjectModule,
} from '@warmvm/driver-testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** What is held against the contract. */
export interface ConformancePlan {
  /** Title of the suite. */
  readonly title: string;
  /** Opens a host of the driver. */
  readonly module: SubjectModule;
  /** Options for the subject. @default none */
  readonly options?: Readonly<Record<string, unknown>>;
  /** How many run side by side. @default 2, as many as guests under emulation find processors for on a small computer */
  readonly lanes?: number;
  /** Ids of cases, clauses or groups. @default all */
  readonly only?: readonly string[];
}

/** Longest that a whole run may take. */
const RUN_TIMEOUT_MS = 900_000;

/** One run of the kit on a real host, and a test for each case of it. */
export function conformance({ title, module, options = {}, lanes = 2, only }: ConformancePlan): void {
  describe(title, () => {
    const ends = new Map(kitCases.map(({ id }) => [id, Promise.withResolvers<KitResult>()]));
    const abort = new AbortController();
    let running: Promise<KitReport>;

    const run = async (): Promise<KitReport> => {
      await using opened = await openSubjects(module, { options, lanes, signal: abort.signal });
      return await runKit(opened.subjects, {
        signal: abort.signal,
        onResult: (result) => ends.get(result.id)?.resolve(result),
        ...(only === undefined ? {} : { only }),
      });
    };

    beforeAll(() => {
      running = run();
      running.catch((error: unknown) => {
        for (const { promise, reject } of ends.values()) {
          promise.catch(() => {});
          reject(error);
        }
      });
    });

    afterAll(async () => {
      abort.abort(new Error('the suite is over'));
      await Promise.allSettled([running]);
    });

    const wanted = kitCases.filter(({ id, clause }) =>
      only === undefined ? true : only.some((name) => [id, clause, clause.split('-')[0]].includes(name)),
    );
    for (const { id, title: sentence } of wanted) {
      test(`${id} ${sentence}`, { timeout: RUN_TIMEOUT_MS }, async ({ skip }) => {
        const { result, reason, error } = await ends.get(id)!.promise;
        if (result === 'not-applicable') skip(reason);
        // Not by an assertion: those shorten what they compare, and the causes are the last of it.
        if (error !== undefined) throw new Error(error);
        expect(result).toBe('passed');
      });
    }

    test('leaves nothing on the host', { timeout: RUN_TIMEOUT_MS }, async () => {
      expect((await running).leftBehind).toEqual([]);
    });
  });
}
