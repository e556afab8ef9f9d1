import { XMLBuilder } from 'fast-xml-parser';
import type { JobReport, Summary } from './report.ts';

/** What XML 1.0 has no way to write. */
const IMPOSSIBLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const ELEMENTS = { failed: 'failure', 'timed-out': 'failure', error: 'error' } as const;

/** The summary as JUnit's XML, which CI services show: each job is a test case. */
export function junitOf({ jobs, durationMs }: Summary): string {
  const count = (...outcomes: readonly string[]): number =>
    jobs.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const suite = {
    '@name': 'demo-ci',
    '@tests': jobs.length,
    '@failures': count('failed', 'timed-out'),
    '@errors': count('error'),
    '@time': seconds(durationMs),
    testcase: jobs.map(caseOf),
  };
  const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ testsuites: { testsuite: suite } })}`;
}

function caseOf({ name, outcome, message, durationMs, tail }: JobReport): unknown {
  const facts = { '@classname': 'demo-ci', '@name': name, '@time': seconds(durationMs) };
  if (outcome === 'passed') return facts;
  const text = tail.join('\n').replaceAll(IMPOSSIBLE, '');
  const problem = { '@type': outcome, '@message': message.replaceAll(IMPOSSIBLE, ''), '#text': text };
  return { ...facts, [ELEMENTS[outcome]]: problem };
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3);
}
