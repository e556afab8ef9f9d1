import { posix } from 'node:path';
import { z } from 'zod';

/** A command of a job: text for the guest's shell, or a program and its arguments, which need no shell. */
export type Step = string | readonly string[];

/** One job: what goes into a clean machine, what runs there, and what is kept of it. */
export interface Job {
  readonly name: string;
  /** Files of the folder of the list, and the absolute paths that they get in the guest. */
  readonly files: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** One after the other; the first that fails is the last. */
  readonly steps: readonly Step[];
  /** Names below the job's folder of results, and the files of the guest that go there, also when the job has failed. */
  readonly artifacts: Readonly<Record<string, string>>;
  /** For all steps together. @default 600000 */
  readonly timeoutMs: number;
}

const text = z.string().min(1);
const guestPath = z.string().startsWith('/', 'must be an absolute path in the guest');
const copies = z.record(text, guestPath).superRefine((paths, context) => {
  for (const name of Object.keys(paths)) {
    if (isInside(name)) continue;
    context.addIssue({ code: 'custom', path: [name], message: 'a file here must be a relative path without ..' });
  }
});
const job: z.ZodType<Job> = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/, 'must have 1 to 60 letters, digits, ., - or _'),
  files: copies.default({}),
  environment: z.record(text, z.string()).default({}),
  steps: z.array(z.union([text, z.array(z.string()).min(1)])).min(1),
  artifacts: copies.default({}),
  timeoutMs: z
    .number()
    .int()
    .min(1)
    .max(24 * 3_600_000)
    .default(600_000),
});
const jobs: z.ZodType<readonly Job[]> = z
  .array(job)
  .min(1)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'two jobs have the same name');

/** A list of jobs that makes no sense. */
export class JobsError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JobsError';
  }
}

/**
 * Reads a list of jobs.
 * @param source what messages call it
 * @throws JobsError that names every mistake and its place
 */
export function parseJobs(content: string, source: string): readonly Job[] {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new JobsError(`${source} is no JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = jobs.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new JobsError(`${source} is no list of jobs:\n${z.prettifyError(parsed.error)}`);
}

/** The words that a step is run as. */
export function commandOf(step: Step): readonly string[] {
  return typeof step === 'string' ? ['sh', '-ec', step] : step;
}

function isInside(name: string): boolean {
  const path = posix.normalize(name);
  return !posix.isAbsolute(path) && path !== '.' && path.split('/')[0] !== '..';
}
