import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const conditions = ['@warmvm/source', 'module', 'node', 'development|production'];

/** Files that run a whole suite once for each planted fault: begun last, each would keep the run waiting by itself. */
class MutantsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const plants = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/mutants.test.ts');
    return [...sorted.filter(plants), ...sorted.filter((file) => !plants(file))];
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Left to itself Vitest leaves one CPU free, which on two is half of all.
    maxWorkers: '100%',
    sequence: { sequencer: MutantsFirst },
    // The gates print messages and no differences: what was expected has to stand there.
    chaiConfig: { truncateThreshold: 2_000 },
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      // Most of local-host is about real programs of a computer: test-e2e uses it.
      exclude: ['packages/local-host/**', '**/*.test.ts', '**/*.test-d.ts', '**/fixtures/**', '**/testing/builders/**'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 90, branches: 85 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // Against what never ends. Shared computers take their time, and no test here is about time.
          testTimeout: 30_000,
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'bench/src/**/*.test.ts',
            'tools/**/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test-e2e/src/**/*.e2e.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'manual',
          include: ['test-e2e/src/**/*.manual.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
