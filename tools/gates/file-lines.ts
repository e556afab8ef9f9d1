import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** How a line about an error outside of every test begins. */
export const outsideOfTests = '  failed: outside of tests: ';

/**
 * Prints a line for each file of tests when it ends, and one for each test that failed when it fails. A gate that has to be ended before its
 * report is written has then said how far it came and what took the time.
 */
class FileLines implements Reporter {
  readonly #print: (text: string) => void;

  constructor(options: { readonly print?: (text: string) => void } = {}) {
    this.#print = options.print ?? ((text) => process.stdout.write(`${text}\n`));
  }

  onTestModuleStart(module: TestModule): void {
    this.#print(`${module.relativeModuleId} begins`);
  }

  onTestCaseResult(test: TestCase): void {
    if (test.result().state !== 'failed') return;
    const [first] = test.result().errors ?? [];
    const reason = (first?.message ?? '').split('\n', 1)[0]?.slice(0, 300);
    this.#print(`  failed: ${test.fullName}: ${reason}`);
  }

  /** The JSON report does not contain these, and they fail a run in which every test passed. */
  onTestRunEnd(_modules: readonly TestModule[], errors: readonly { readonly message: string }[]): void {
    for (const { message } of errors) this.#print(`${outsideOfTests}${message.slice(0, 1_000).replaceAll('\n', ' ')}`);
  }

  onTestModuleEnd(module: TestModule): void {
    const tests = [...module.children.allTests()];
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    const { duration, collectDuration, setupDuration } = module.diagnostic();
    const seconds = ((duration + collectDuration + setupDuration) / 1000).toFixed(1);
    const counts = (['passed', 'failed', 'skipped', 'pending'] as const).map((state) => [state, count(state)] as const);
    const said = counts.filter(([, number]) => number > 0).map(([state, number]) => `${number} ${state}`);
    const errors = module.errors().map(({ message }) => `; ${message.split('\n', 1)[0]}`);
    this.#print(`${module.relativeModuleId} ${seconds} s  ${said.join(', ') || 'no test ran'}${errors.join('')}`);
  }
}

// Vitest loads a reporter by its path and takes the default export.
// biome-ignore lint/style/noDefaultExport: asked for by Vitest.
export default FileLines;
