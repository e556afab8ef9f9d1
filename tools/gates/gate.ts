import { performance } from 'node:perf_hooks';

/** Counts of single tests inside a gate. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/** How a gate ended. `notRun` carries the reason; whether that is a failure, the caller of the gates decides. */
export type GateOutcome =
  | { readonly kind: 'passed'; readonly tests?: TestCounts; readonly note?: string; readonly details?: string }
  | { readonly kind: 'failed'; readonly tests?: TestCounts; readonly details: string }
  | { readonly kind: 'notRun'; readonly reason: string; readonly mandatory: boolean };

/** One condition that this repository must meet. */
export interface Gate {
  readonly name: string;
  /** Left out of the quick check, because it boots guests or packs and installs. */
  readonly slow?: boolean;
  /** Names of gates without which this one cannot say anything. */
  readonly needs?: readonly string[];
  run(signal: AbortSignal): Promise<GateOutcome>;
}

/** Sums over all gates; `notRun` ones that were mandatory count as failed. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
}

function describe(outcome: GateOutcome): string {
  if (outcome.kind === 'notRun') return outcome.reason;
  const counts = outcome.tests === undefined ? '' : `${outcome.tests.passed} passed, ${outcome.tests.failed} failed`;
  const note = outcome.kind === 'passed' ? (outcome.note ?? '') : '';
  return [counts, note].filter((part) => part !== '').join('; ');
}

/** Runs the gates one after the other, prints a line for each, and what went wrong below it. */
export async function runGates(
  gates: readonly Gate[],
  options: { readonly quick: boolean; readonly signal: AbortSignal; readonly print: (text: string) => void },
): Promise<Summary> {
  const broken = new Set<string>();
  let passed = 0;
  let failed = 0;
  for (const gate of gates) {
    if (options.signal.aborted) {
      options.print(`NOT RUN  ${gate.name}  interrupted`);
      failed += 1;
      continue;
    }
    if (options.quick && gate.slow === true) {
      options.print(`left out ${gate.name}  (quick check)`);
      continue;
    }
    const missing = gate.needs?.find((name) => broken.has(name));
    const startedMs = performance.now();
    const outcome: GateOutcome =
      missing === undefined
        ? await gate.run(options.signal).catch((error: unknown) => ({
            kind: 'failed' as const,
            details: error instanceof Error ? (error.stack ?? error.message) : String(error),
          }))
        : { kind: 'notRun', reason: `needs "${missing}", which failed`, mandatory: true };
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const bad = outcome.kind === 'failed' || (outcome.kind === 'notRun' && outcome.mandatory);
    if (bad) broken.add(gate.name);
    const label = outcome.kind === 'passed' ? 'ok      ' : outcome.kind === 'failed' ? 'FAILED  ' : 'NOT RUN ';
    options.print(`${label} ${gate.name.padEnd(34)} ${seconds.padStart(6)} s  ${describe(outcome)}`.trimEnd());
    if (outcome.kind !== 'notRun' && outcome.details !== undefined) {
      options.print(outcome.details.trimEnd().replaceAll(/^/gm, '    | '));
    }
    if (outcome.kind !== 'notRun') {
      passed += outcome.tests?.passed ?? 0;
      failed += outcome.tests?.failed ?? 0;
    }
    if (bad) failed += 1;
    else if (outcome.kind === 'passed') passed += 1;
  }
  return { passed, failed };
}
