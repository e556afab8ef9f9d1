import type { KitContext } from './context.ts';
import type { Need } from './needs.ts';

/** One case of the kit: data that any runner can run. */
export interface KitCase {
  /** Id of the clause, with a suffix such as `.polling` where a clause has several cases. Stable. */
  readonly id: string;
  /** Clause of `docs/driver-contract.md` that it proves. */
  readonly clause: string;
  /** What the driver does, completing "the driver". */
  readonly title: string;
  /** What the manifest must say for the case to apply. */
  readonly needs: readonly Need[];
  /** Longest it may take, before the subject's `timeScale`. In milliseconds. */
  readonly budgetMs: number;
  /** Whether it makes a golden snapshot of its own, and so takes as long as one. */
  readonly expensive: boolean;
  /** Resolves when the driver keeps the clause. @throws when it does not */
  run(context: KitContext): Promise<void>;
}

/** What a case is written down as; the rest follows. */
export interface CaseText {
  readonly needs?: readonly Need[];
  /** @default 30000, or 120000 with `expensive` */
  readonly budgetMs?: number;
  /** @default false */
  readonly expensive?: boolean;
}

/** Makes a case; its clause is the id without a suffix. */
export function kitCase(
  id: string,
  title: string,
  { needs = [], expensive = false, budgetMs = expensive ? 120_000 : 30_000 }: CaseText,
  run: (context: KitContext) => Promise<void>,
): KitCase {
  return { id, clause: id.split('.')[0] as string, title, needs, budgetMs, expensive, run };
}
