// An error made while handling another must carry it as its cause. (Biome's own rule looks for the options in the second
// argument only, where Error has them; WarmvmError has the code first.)
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isShipped } from './check-imports.ts';
import type { GateOutcome } from './gates/gate.ts';
import { filesBelow, publicPackages, root } from './lib/repository.ts';

/** The text from an opening bracket to the one that closes it; strings are not looked into. */
export function bracketed(text: string, open: number): string {
  let depth = 0;
  for (let index = open; index < text.length; index += 1) {
    if ('([{'.includes(text[index] as string)) depth += 1;
    if (')]}'.includes(text[index] as string)) depth -= 1;
    if (depth === 0) return text.slice(open, index + 1);
  }
  return text.slice(open);
}

/** Lines, from 1, where a caught error is replaced by a new one that does not name it. */
export function lostCauses(source: string): readonly number[] {
  const lines = [...source.matchAll(/\bcatch\s*\(\s*(\w+)[^)]*\)\s*\{/g)].flatMap((caught) => {
    const start = caught.index + caught[0].length - 1;
    const body = bracketed(source, start);
    return [...body.matchAll(/\bthrow new \w*Error\(/g)]
      .filter(
        (made) => !new RegExp(`\\b(${caught[1]}|cause)\\b`).test(bracketed(body, made.index + made[0].length - 1)),
      )
      .map((made) => source.slice(0, start + made.index).split('\n').length);
  });
  return [...new Set(lines)];
}

/** Checks the shipped sources of this checkout. */
export function checkCauses(): GateOutcome {
  const problems = publicPackages().flatMap(({ folder }) =>
    filesBelow(root, `${folder}/src`)
      .filter(isShipped)
      .flatMap((file) =>
        lostCauses(readFileSync(join(root, file), 'utf8')).map(
          (line) => `${file}:${line}: the caught error is not passed on as cause`,
        ),
      ),
  );
  return problems.length > 0 ? { kind: 'failed', details: problems.join('\n') } : { kind: 'passed' };
}
