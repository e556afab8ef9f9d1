import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { refusedAt, type Setting } from './read-config.ts';

/** What the tokens of a path stand for. */
export interface TokenFacts {
  readonly home: string;
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The name that somebody typed, and what `HostName` made of it. */
  readonly host: string;
  readonly hostName: string;
  readonly port: number;
  readonly hostKeyAlias: string | undefined;
  readonly jump: string;
  /** @throws WARMVM_NOT_SUPPORTED where this process has no user name */
  readonly localUser: () => string;
  /** The user there. @throws as `localUser` */
  readonly farUser: () => string;
}

const TOKENS: Readonly<Record<string, (facts: TokenFacts) => string>> = {
  '%': () => '%',
  C: (facts) => {
    const text = [hostname(), facts.hostName, facts.port, facts.farUser(), facts.jump].join('');
    return createHash('sha1').update(text).digest('hex');
  },
  d: ({ home }) => home,
  h: ({ hostName }) => hostName,
  i: () => String(process.getuid?.() ?? ''),
  j: ({ jump }) => jump,
  k: ({ hostKeyAlias, host }) => hostKeyAlias ?? host,
  L: () => hostname().split('.')[0] ?? '',
  l: () => hostname(),
  n: ({ host }) => host,
  p: ({ port }) => String(port),
  r: ({ farUser }) => farUser(),
  u: ({ localUser }) => localUser(),
};

/** A path with `~`, `${NAME}` and tokens replaced. One that is not absolute starts at the working folder, as for OpenSSH. */
export function expandPath(path: string, facts: TokenFacts, setting: Setting): string {
  const remedy = 'write the path out';
  if (/^~[^/]/.test(path)) throw refusedAt(setting, `has ${path}, the home of another user`, remedy);
  // One pass: what a variable holds is not expanded again.
  const expanded = path
    .replace(/^~(?=\/|$)/, () => facts.home)
    .replaceAll(/\$\{([^}]*)\}|%(.?)/gs, (whole, name: string | undefined, token: string | undefined) => {
      if (name !== undefined) {
        const value = facts.environment[name];
        if (value === undefined) throw refusedAt(setting, `has ${whole}, a variable that is not set`, remedy);
        return value;
      }
      if (token === undefined || !Object.hasOwn(TOKENS, token)) {
        throw refusedAt(setting, `has ${whole}, a token that is not supported`, remedy);
      }
      return (TOKENS[token] as (facts: TokenFacts) => string)(facts);
    });
  return expanded.startsWith('/') ? expanded : join(facts.workingFolder, expanded);
}
