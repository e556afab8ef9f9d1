import { readFile, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { type BenchResult, SCHEMA } from './bench-result.ts';
import { resultShape } from './result-shape.ts';

/** More than any run writes; a file beyond it is something else. */
const LARGEST_BYTES = 256 * 1024 * 1024;
const SHOWN_PROBLEMS = 10;

/** Samples in one line, since nobody reads thousands of lines, and a line for everything that somebody may. */
export function formatResult(result: BenchResult): string {
  const text = JSON.stringify(result, null, 2);
  return `${text.replaceAll(/\[[\d\s.,e+-]+\]/g, (numbers) => numbers.replaceAll(/\s+/g, ' '))}\n`;
}

/** Writes a result as JSON. */
export async function writeResult(path: string, result: BenchResult): Promise<void> {
  await writeFile(path, formatResult(result));
}

/**
 * Reads a result back.
 * @throws TypeError naming the file, each field that is wrong, and what was expected there; what the file system says
 */
export async function readResult(path: string): Promise<BenchResult> {
  const { size } = await stat(path);
  if (size > LARGEST_BYTES) {
    throw new TypeError(`${path} has ${size} bytes, expected a result of the bench app, at most ${LARGEST_BYTES}`);
  }
  return parseResult(await readFile(path, 'utf8'), path);
}

/** The same from text. @param source what messages call it @throws TypeError */
export function parseResult(text: string, source: string): BenchResult {
  const value = parseJson(text, source);
  const schema = (value as { readonly schema?: unknown } | null)?.schema;
  if (schema !== SCHEMA) {
    throw new TypeError(
      `${source} has schema ${JSON.stringify(schema)}, expected ${SCHEMA}: it was not written by this version of the bench app; record it again`,
    );
  }
  const parsed = resultShape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TypeError(`${source} is no result of the bench app:\n${problemsText(parsed.error)}`);
}

/** @throws TypeError naming the source */
export function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TypeError(`${source} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** One line for each problem, with the path to it. */
export function problemsText(error: z.ZodError): string {
  const lines = error.issues.map(({ path, message }) => `  ${z.core.toDotPath(path) || 'the whole'}: ${message}`);
  const more = lines.length - SHOWN_PROBLEMS;
  return [...lines.slice(0, SHOWN_PROBLEMS), ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
}
