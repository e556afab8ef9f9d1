import type { z } from 'zod';

/** A mistake of the person who configured: told without a stack, and with what to do. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
  }
}

const LONGEST_VALUE = 60;

/** Every mistake of a configuration, a line each: where, what was expected, what is there. */
export function describeIssues(error: z.ZodError): string {
  return leaves(error.issues)
    .map(({ path, message, input }) => {
      const place = path.length === 0 ? 'the configuration' : path.map(String).join('.');
      return `  ${place}: ${message}${input === undefined ? '' : ` (there is ${shown(input)})`}`;
    })
    .join('\n');
}

interface Leaf {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly input: unknown;
}

/** Of the ways that a union could be meant, the one that fits best tells more than "no match". */
function leaves(issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[] = []): readonly Leaf[] {
  return issues.flatMap((issue): readonly Leaf[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'invalid_union') return [{ path, message: issue.message, input: issue.input }];
    const ways = issue.errors.map((way) => leaves(way, path));
    const meant = ways.filter((way) =>
      way.every((leaf) => leaf.path.length > path.length || !/expected/.test(leaf.message)),
    );
    const best = meant.toSorted((left, right) => left.length - right.length)[0];
    return best ?? [{ path, message: 'is none of what may stand here', input: issue.input }];
  });
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}
