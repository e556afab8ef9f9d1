import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateOutcome } from '../gates/gate.ts';
import { root } from './repository.ts';

/** README with the generated block of that name replaced; null when it has no markers for it. */
export function replaceBlock(readme: string, name: string, content: string): string | null {
  const [open, close] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const start = readme.indexOf(open);
  const end = readme.indexOf(close);
  if (start < 0 || end < start) return null;
  return `${readme.slice(0, start + open.length)}\n${content}\n${readme.slice(end)}`;
}

/** What a generated block is made from. */
export interface BlockPlan {
  /** The document it is in. @default README.md */
  readonly file?: string;
  readonly name: string;
  /** The command that writes it. */
  readonly command: string;
  /** What it is made from, for people. */
  readonly note: string;
  readonly content: string;
}

/** Compares a generated block of a document with what it is made from, or writes it. */
export function readmeBlock(
  { file = 'README.md', name, command, note, content }: BlockPlan,
  mode: 'check' | 'write',
): GateOutcome {
  const path = join(root, file);
  const readme = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const wanted = replaceBlock(readme, name, content);
  if (wanted === null) {
    return { kind: 'failed', details: `${file}: <!-- ${name}:start --> or <!-- ${name}:end --> after it is missing` };
  }
  if (wanted === readme) return { kind: 'passed', note };
  if (mode === 'check') return { kind: 'failed', details: `${file} is stale: run ${command}` };
  writeFileSync(path, wanted);
  return { kind: 'passed', note: `${file} rewritten` };
}

/** Ends a tool that was started as a program: prints what came out, and sets the exit code. */
export function endAsProgram(outcome: GateOutcome): void {
  if (outcome.kind === 'failed') console.log(outcome.details);
  else console.log(outcome.kind === 'notRun' ? outcome.reason : (outcome.note ?? 'ok'));
  process.exitCode = outcome.kind === 'failed' ? 1 : 0;
}
