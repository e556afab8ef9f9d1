import { nearestName, unknownName } from '@warmvm/core/driver';
import { z } from 'zod';
import { ConfigSchema } from './schema.ts';

const LONGEST_VALUE = 60;

/** Every mistake of a configuration, a line each: where, what is there, what was expected. `nameOf` gives a place another name. */
export function describeIssues(error: z.ZodError, nameOf: (place: string) => string = (place) => place): string {
  return leaves(error.issues)
    .flatMap((leaf) => sentences(leaf, nameOf))
    .map((sentence) => `  ${sentence}`)
    .join('\n');
}

interface Leaf {
  readonly path: readonly PropertyKey[];
  readonly issue: z.core.$ZodIssue;
}

/** Of the ways that a union could be meant, the one that fits best tells more than "no match". */
function leaves(issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[] = []): readonly Leaf[] {
  return issues.flatMap((issue): readonly Leaf[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'invalid_union') return [{ path, issue }];
    const ways = issue.errors.map((way) => leaves(way, path));
    const meant = ways.filter((way) => way.every((leaf) => leaf.path.length > path.length || !isOther(leaf.issue)));
    const best = meant.toSorted((left, right) => left.length - right.length)[0];
    return best ?? [{ path, issue }];
  });
}

/** Whether something of another kind stands there. */
function isOther({ code }: z.core.$ZodIssue): boolean {
  return code === 'invalid_type' || code === 'invalid_value';
}

function sentences({ path, issue }: Leaf, nameOf: (place: string) => string): readonly string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path);
    return issue.keys.map((key) => `${nameOf(placeOf([...path, key]))} ${unknownName(key, known)}`);
  }
  const place = path.length === 0 ? 'the configuration' : nameOf(placeOf(path));
  if (issue.code === 'custom') return [`${place}: ${issue.message}`];
  const isMissing = issue.input === undefined;
  return [`${place} is ${isMissing ? 'missing' : shown(issue.input)}, expected ${expectation(path, issue)}`];
}

function expectation(path: readonly PropertyKey[], issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value': {
      const words = issue.values.map(String);
      const meant = typeof issue.input === 'string' ? nearestName(issue.input, words) : undefined;
      return `${words.length === 1 ? '' : 'one of '}${words.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    }
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_union': {
      const keys = keysAt(path);
      return keys.length === 0 ? 'something else' : `a text, or an object with ${keys.join(', ')}`;
    }
    default:
      return issue.message;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  array: 'an array',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a text',
};

function bound(origin: string, words: string, limit: number | bigint): string {
  if (origin === 'string') return limit === 1 ? 'a text that is not empty' : `${words} ${limit} characters`;
  return origin === 'array' ? `${words} ${limit} of them` : `a number of ${words} ${limit}`;
}

/** As one writes it in code: `drivers[1].options`. */
function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** Every key that may stand at a place, whichever way it is meant. */
function keysAt(path: readonly PropertyKey[]): readonly string[] {
  let nodes: readonly SchemaNode[] = [z.toJSONSchema(ConfigSchema, { io: 'input' }) as SchemaNode];
  const open = (node: SchemaNode): readonly SchemaNode[] => [node, ...(node.anyOf ?? []).flatMap(open)];
  for (const part of path) {
    nodes = nodes.flatMap(open).flatMap(({ properties, items }) => {
      const next = typeof part === 'number' ? items : properties?.[String(part)];
      return next === undefined ? [] : [next];
    });
  }
  return [...new Set(nodes.flatMap(open).flatMap(({ properties = {} }) => Object.keys(properties)))];
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}
