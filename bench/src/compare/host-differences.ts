import type { BenchResult } from '../result/bench-result.ts';
import type { BenchEnvironment } from '../result/environment.ts';

/** Where a difference makes two results say more about the hosts than about the code. */
const OF_THE_HOST = {
  acceleration: 'acceleration',
  hypervisor: 'hypervisor',
  platform: 'platform',
  cpuModel: 'processor',
  cpuCount: 'number of CPUs',
  subreaper: 'subreaper',
  storage: 'storage',
} as const satisfies Partial<Record<keyof BenchEnvironment, string>>;

/** What differs between the hosts on which the suites of both results were run, each as a sentence. */
export function hostDifferences(base: BenchResult, current: BenchResult): readonly string[] {
  const sentences = new Set<string>();
  for (const { suite, driver, environment } of current.suites) {
    const other = base.suites.find((candidate) => candidate.suite === suite && candidate.driver === driver);
    if (other === undefined) continue;
    for (const [field, words] of Object.entries(OF_THE_HOST)) {
      const [was, is] = [other.environment, environment].map((side) => side[field as keyof typeof OF_THE_HOST]);
      if (was !== is) sentences.add(`The ${words} was ${was}, is ${is}.`);
    }
  }
  return [...sentences];
}
