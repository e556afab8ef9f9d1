import type { CallOptions, Clock } from '@warmvm/core/driver';
import { kitCases } from './cases/index.ts';
import { type KitReport, type KitResult, kitVersion } from './report.ts';
import { KitSession } from './session.ts';
import { type KitSubject, parseSubject } from './subject.ts';

/** Options of {@link runKit}. */
export interface RunKitOptions extends CallOptions {
  /** Ids of cases, clauses or groups (`RESET`); nothing else is run. @default all */
  readonly only?: readonly string[];
  /** Told of each case when it has ended, in order. */
  readonly onResult?: (result: KitResult) => void;
  /** @default systemClock */
  readonly clock?: Clock;
}

/**
 * Runs the kit without a test runner. A driver that breaks clauses is no error: see the report.
 * @throws TypeError or RangeError when the subject is none or `only` names what there is not
 * @throws the signal's reason when that is aborted
 */
export async function runKit(subject: KitSubject, options: RunKitOptions = {}): Promise<KitReport> {
  const { only, signal, onResult, clock } = options;
  const parsed = parseSubject(subject);
  const cases = only === undefined ? kitCases : only.flatMap((name) => casesNamed(name));
  const wanted = new Set(cases);
  const session = new KitSession(parsed, clock);
  const results: KitResult[] = [];
  try {
    const capabilities = await session.capabilities();
    for (const kitCase of kitCases.filter((candidate) => wanted.has(candidate))) {
      const { result } = await session.run(kitCase, signal);
      results.push(result);
      onResult?.(result);
    }
    return { schema: 1, kitVersion: kitVersion(), driver: parsed.name, capabilities, results };
  } finally {
    await session.closeShared();
  }
}

function casesNamed(name: string): typeof kitCases {
  const found = kitCases.filter(({ id, clause }) => [id, clause, clause.split('-')[0]].includes(name));
  if (found.length > 0) return found;
  throw new RangeError(
    `only must name cases, clauses or groups of the kit, such as RESET or RESET-1, got ${JSON.stringify(name)}`,
  );
}
