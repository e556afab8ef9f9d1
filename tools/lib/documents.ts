import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CodeBlock, codeBlocks } from './markdown.ts';
import { filesBelow, root, workspacePackages } from './repository.ts';

/** Markdown files whose code must compile: all of docs, and every README. */
export function documents(base: string = root): readonly string[] {
  const readmes = workspacePackages(base).map(({ folder }) => `${folder}/README.md`);
  const known = new Set(filesBelow(base, ''));
  const guides = [...known].filter((file) => file.startsWith('docs/') && file.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...readmes, ...guides].filter((file) => known.has(file)).sort();
}

/** Every TypeScript block of the documents. */
export function documentBlocks(base: string = root): readonly CodeBlock[] {
  return documents(base).flatMap((file) => codeBlocks(file, readFileSync(join(base, file), 'utf8')));
}
