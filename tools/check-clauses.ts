// Compares the clauses of docs/driver-contract.md with the cases of the conformance kit.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateOutcome } from './gates/gate.ts';
import { filesBelow, root } from './lib/repository.ts';

const DOCUMENT = 'docs/driver-contract.md';
const CASES = 'packages/driver-testkit/src/cases';

/** A clause as it is written down. */
export interface Clause {
  readonly id: string;
  readonly text: string;
}

/** The clauses of a text: list entries that begin with a bold id. */
export function clausesOf(text: string): readonly Clause[] {
  return [...text.matchAll(/^- \*\*([A-Z]+-\d+)\*\* (.*)$/gm)].map(([, id, words]) => ({
    id: id as string,
    text: words as string,
  }));
}

/** Ids of the cases in a source text of the kit. */
export function caseIdsOf(source: string): readonly string[] {
  return [...source.matchAll(/\bkitCase\(\s*'([^']*)'/g)].map((match) => match[1] as string);
}

function repeated(ids: readonly string[]): readonly string[] {
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}

/** Clauses that were left out of the count of their group. */
function gaps(ids: readonly string[]): readonly string[] {
  const groups = Map.groupBy(ids, (id) => id.split('-')[0] as string);
  return [...groups].flatMap(([group, members]) =>
    members.map((_, index) => `${group}-${index + 1}`).filter((id) => !ids.includes(id)),
  );
}

/** Everything that does not fit together. */
export function clauseProblems(clauses: readonly Clause[], caseIds: readonly string[]): readonly string[] {
  const ids = clauses.map(({ id }) => id);
  const proved = new Set(caseIds.map((id) => id.split('.')[0] as string));
  return [
    ...ids.filter((id) => !proved.has(id)).map((id) => `clause ${id} has no case in the kit`),
    ...[...proved].filter((id) => !ids.includes(id)).map((id) => `case ${id} has no clause in ${DOCUMENT}`),
    ...repeated(ids).map((id) => `clause ${id} is written down twice`),
    ...repeated(caseIds).map((id) => `case ${id} is there twice`),
    ...gaps([...new Set(ids)]).map((id) => `clause ${id} is left out: the numbers of a group have no gaps`),
    ...clauses
      .filter(({ text }) => !/\bM(UST|AY)\b/.test(text))
      .map(({ id }) => `clause ${id} says neither MUST nor MAY`),
  ];
}

/** Checks the document and the kit of this checkout. */
export function checkClauses(): GateOutcome {
  if (!existsSync(join(root, DOCUMENT))) return { kind: 'failed', details: `${DOCUMENT} does not exist` };
  const clauses = clausesOf(readFileSync(join(root, DOCUMENT), 'utf8'));
  const sources = filesBelow(root, CASES).filter((file) => file.endsWith('.ts'));
  const caseIds = sources.flatMap((file) => caseIdsOf(readFileSync(join(root, file), 'utf8')));
  const problems = clauseProblems(clauses, caseIds);
  if (caseIds.length === 0) return { kind: 'failed', details: `no case found below ${CASES}: that cannot be right` };
  if (problems.length > 0) return { kind: 'failed', details: problems.join('\n') };
  return { kind: 'passed', note: `${clauses.length} clauses, ${caseIds.length} cases` };
}
