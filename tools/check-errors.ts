// Compares the table of docs/errors.md with the codes that the code can throw.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../packages/core/src/driver/error.ts';
import type { GateOutcome } from './gates/gate.ts';
import { root } from './lib/repository.ts';

/** Codes that have a table row or a heading of their own. */
export function documentedCodes(text: string): readonly string[] {
  return [...text.matchAll(/^(?:\|\s*|#{2,}\s*)`?(WARMVM_[A-Z_]+)`?/gm)].map((match) => match[1] as string);
}

/** What is missing, unknown or written down twice. */
export function errorTableProblems(text: string, codes: readonly string[]): readonly string[] {
  const documented = documentedCodes(text);
  return [
    ...codes.filter((code) => !documented.includes(code)).map((code) => `${code} is thrown but not documented`),
    ...[...new Set(documented)]
      .filter((code) => !codes.includes(code))
      .map((code) => `${code} is documented but unknown`),
    ...[...new Set(documented.filter((code, index) => documented.indexOf(code) !== index))].map(
      (code) => `${code} is documented twice`,
    ),
  ];
}

/** Checks the document of this checkout. */
export function checkErrors(): GateOutcome {
  const path = join(root, 'docs/errors.md');
  if (!existsSync(path)) return { kind: 'failed', details: 'docs/errors.md does not exist' };
  const problems = errorTableProblems(readFileSync(path, 'utf8'), ERROR_CODES);
  if (problems.length > 0)
    return { kind: 'failed', details: problems.map((text) => `docs/errors.md: ${text}`).join('\n') };
  return { kind: 'passed', note: `${ERROR_CODES.length} codes` };
}
