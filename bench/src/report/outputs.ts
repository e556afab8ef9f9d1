import { writeFile } from 'node:fs/promises';
import { requireWritable } from '@warmvm/local-host';
import type { Outputs } from '../request.ts';
import type { BenchResult } from '../result/bench-result.ts';
import { writeResult } from '../result/result-file.ts';
import { renderPage } from './html/page.ts';
import { renderMarkdown } from './markdown/summary.ts';

/** Before anything is measured: a report that cannot be written would cost the whole run. @throws Error naming the option */
export async function requireWritableOutputs({ json, html, markdown }: Outputs): Promise<void> {
  for (const [option, file] of Object.entries({ json, html, markdown })) {
    if (file !== undefined) await requireWritable(`--${option}`, file);
  }
}

/** Writes what was asked for. Resolves with the names of the files. */
export async function writeOutputs(result: BenchResult, { json, html, markdown }: Outputs): Promise<readonly string[]> {
  if (json !== undefined) await writeResult(json, result);
  if (html !== undefined) await writeFile(html, renderPage(result));
  if (markdown !== undefined) await writeFile(markdown, renderMarkdown(result));
  return [json, html, markdown].filter((file) => file !== undefined);
}
