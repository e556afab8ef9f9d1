import type { Gate } from './result/bench-result.ts';
import type { Comparison } from './result/comparison.ts';
import type { Verdict } from './result/verdict.ts';

/** What `--gate` says: floors that are missed, targets that were not measured, and figures that got worse. */
export function decideGate(verdicts: readonly Verdict[], comparison: Comparison | null): Gate {
  const reasons = [
    ...verdicts.flatMap((verdict) => {
      const { id, driver, measured, floor, unit, statistic, better, figure } = verdict;
      if (verdict.outcome === 'not-measured') {
        return [`${id} (${driver}): the suite has no ${statistic === 'ratio' ? 'ratio' : 'figure'} '${figure}'`];
      }
      if (verdict.outcome !== 'floor-missed') return [];
      const bound = `${better === 'lower' ? 'at most' : 'at least'} ${floor}`;
      return [`${id} (${driver}): ${statistic} of '${figure}' is ${measured}, expected ${bound} (${unit})`];
    }),
    ...(comparison?.figures ?? []).filter(({ call }) => call === 'worse').map(({ sentence }) => sentence),
  ];
  return { passed: reasons.length === 0, reasons };
}
