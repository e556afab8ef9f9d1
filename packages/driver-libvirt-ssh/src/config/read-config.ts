import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readBounded } from '../bounded-file.ts';
import { matchesGlob, matchesList } from '../patterns.ts';
import { sshError } from '../problem.ts';
import { type ConfigLine, matchWords, parseConfigLine } from './config-line.ts';

/** Deeper nesting than OpenSSH allows is a file that includes itself. */
const DEEPEST_INCLUDE = 16;
const MOST_FILES = 1_024;
const LARGEST_FILE_BYTES: number = 2 ** 20;
/** As many as OpenSSH takes. */
const MOST_LISTED = 100;

/** A file where configuration is read. */
export interface ConfigFile {
  readonly path: string;
  /** Where its relative includes are. */
  readonly includeFolder: string;
  /** Whether OpenSSH refuses it when others may write to it. */
  readonly isChecked: boolean;
}

/** What the configuration is asked about. */
export interface ConfigQuestion {
  /** The name that somebody typed. */
  readonly host: string;
  /** Given by the caller, so that no `User` counts. */
  readonly user: string | undefined;
  readonly home: string;
  /** The user of this process. @throws WARMVM_NOT_SUPPORTED where it has no name */
  readonly localUser: () => string;
}

/** The value of a keyword, and where it stands. */
export interface Setting {
  readonly line: ConfigLine;
  readonly file: string;
  readonly lineNumber: number;
}

/** What applies to the host: the first value of each keyword. Keywords that add up have several. */
export type Settings = ReadonlyMap<string, readonly Setting[]>;

/** Keywords of which every line counts. */
const LISTED: ReadonlySet<string> = new Set(['identityfile', 'certificatefile']);
/** Other names of a keyword. */
const SYNONYMS: Readonly<Record<string, string>> = {
  identityfile2: 'identityfile',
  userknownhostsfile2: 'userknownhostsfile',
  globalknownhostsfile2: 'globalknownhostsfile',
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  skeyauthentication: 'kbdinteractiveauthentication',
  tisauthentication: 'kbdinteractiveauthentication',
  dsaauthentication: 'pubkeyauthentication',
};

/**
 * Reads files as `ssh -G` does: the first value of a keyword counts, in the order of the files and their includes, and a second time for `Match final`.
 * @throws WARMVM_NOT_SUPPORTED with the file, the line and what to do
 */
export async function readConfig(files: readonly ConfigFile[], question: ConfigQuestion): Promise<Settings> {
  const reader = new ConfigReader(question);
  for (const file of files) await reader.read(file);
  if (reader.wantsFinalPass) {
    reader.beginFinalPass();
    for (const file of files) await reader.read(file);
  }
  return reader.settings;
}

/** What a `Host` or `Match` said last, and whether anything in this file can apply at all. */
interface Scope {
  isActive: boolean;
  readonly isNever: boolean;
}

class ConfigReader {
  readonly settings: Map<string, Setting[]> = new Map();
  readonly #question: ConfigQuestion;
  #isFinal = false;
  #files = 0;
  wantsFinalPass = false;

  constructor(question: ConfigQuestion) {
    this.#question = question;
  }

  beginFinalPass(): void {
    this.#isFinal = true;
  }

  /** A file that does not exist says nothing. */
  async read(file: ConfigFile, depth = 0, scope: Scope = { isActive: true, isNever: false }): Promise<void> {
    if (depth > DEEPEST_INCLUDE) throw refused(file.path, 'includes itself, or more than 16 files deep');
    this.#files += 1;
    if (this.#files > MOST_FILES) throw refused(file.path, `is one file more than the ${MOST_FILES} that are read`);
    const text = await textOf(file);
    for (const [index, raw] of text.split('\n').entries()) {
      const lineNumber = index + 1;
      let line: ConfigLine | undefined;
      try {
        line = parseConfigLine(raw);
      } catch (error) {
        throw refused(file.path, `cannot be parsed in line ${lineNumber}: ${(error as Error).message}`, error);
      }
      if (line === undefined) continue;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that they are refused is the point
      if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(line.rest)) {
        throw refused(file.path, `holds control characters in line ${lineNumber}`);
      }
      const setting: Setting = { line, file: file.path, lineNumber };
      if (line.keyword === 'host') scope.isActive = !scope.isNever && this.#isHost(line);
      else if (line.keyword === 'match') scope.isActive = this.#matches(setting) && !scope.isNever;
      else if (line.keyword === 'include') await this.#include(setting, file, depth, scope);
      else if (scope.isActive) this.#set(setting);
    }
  }

  #isHost({ words }: ConfigLine): boolean {
    return matchesList(words, this.#question.host) ?? false;
  }

  #set(setting: Setting): void {
    const { keyword: name } = setting.line;
    const keyword = SYNONYMS[name] ?? name;
    const present = this.settings.get(keyword);
    if (LISTED.has(keyword)) {
      const isRepeated = present?.some(({ line }) => line.words[0] === setting.line.words[0]) ?? false;
      if (isRepeated) return;
      if ((present?.length ?? 0) >= MOST_LISTED) throw refusedAt(setting, `has more than ${MOST_LISTED} of ${name}`);
      this.settings.set(keyword, [...(present ?? []), setting]);
      return;
    }
    if (present !== undefined || this.#isSettled(keyword)) return;
    if (keyword === 'user' && this.#question.user !== undefined) return;
    this.settings.set(keyword, [setting]);
  }

  /** The first of `ProxyJump` and `ProxyCommand` counts, except that `ProxyJump none` does not outweigh a `ProxyCommand`. */
  #isSettled(keyword: string): boolean {
    if (keyword === 'proxyjump') return this.settings.has('proxycommand');
    const jump = keyword === 'proxycommand' ? this.#first('proxyjump') : undefined;
    return jump !== undefined && jump.toLowerCase() !== 'none';
  }

  /** Criteria that would run a program, or that nothing here can judge, are refused where all others apply. */
  #matches(setting: Setting): boolean {
    const words = matchWords(setting.line.rest);
    if (words.length === 0) throw refusedAt(setting, 'has a Match without criteria');
    const unjudged: string[] = [];
    let result = true;
    let others = 0;
    for (let at = 0; at < words.length; at += 1) {
      const word = words[at] as string;
      const isNegated = word.startsWith('!');
      const name = (isNegated ? word.slice(1) : word).toLowerCase();
      if (name === 'all') {
        if (others > 1 || at !== words.length - 1)
          throw refusedAt(setting, "has a Match with 'all' beside other criteria");
        if (isNegated) result = false;
        continue;
      }
      others += 1;
      if (name === 'final' || name === 'canonical') {
        if (name === 'final') this.wantsFinalPass = true;
        if (this.#isFinal === isNegated) result = false;
        continue;
      }
      at += 1;
      const argument = words[at];
      if (argument === undefined) throw refusedAt(setting, `has no value for the Match criterion ${name}`);
      const isFit = this.#fits(name, argument);
      if (isFit === undefined) unjudged.push(name);
      else if (isFit === isNegated) result = false;
    }
    if (result && unjudged.length > 0) {
      const why = `sets Match ${unjudged.join(', ')} for ${this.#question.host}, which is not supported`;
      throw refusedAt(setting, why, 'name the host in the Match or Host instead');
    }
    return result;
  }

  #fits(criterion: string, argument: string): boolean | undefined {
    const { host, user, localUser } = this.#question;
    const patterns = argument.split(',');
    switch (criterion) {
      case 'host': {
        const lowerCase = patterns.map((pattern) => pattern.toLowerCase());
        return matchesList(lowerCase, this.hostName.toLowerCase()) ?? false;
      }
      case 'originalhost': {
        const lowerCase = patterns.map((pattern) => pattern.toLowerCase());
        return matchesList(lowerCase, host.toLowerCase()) ?? false;
      }
      case 'user':
        return matchesList(patterns, user ?? this.#first('user') ?? localUser()) ?? false;
      case 'localuser':
        return matchesList(patterns, localUser()) ?? false;
      default:
        return undefined;
    }
  }

  #first(keyword: string): string | undefined {
    return this.settings.get(keyword)?.[0]?.line.words[0];
  }

  /** What `HostName` has made of the name so far. */
  get hostName(): string {
    const [setting] = this.settings.get('hostname') ?? [];
    return setting === undefined ? this.#question.host : expandHostName(setting, this.#question.host);
  }

  async #include(setting: Setting, { includeFolder }: ConfigFile, depth: number, scope: Scope): Promise<void> {
    const { home } = this.#question;
    for (const word of setting.line.words) {
      if (/^~[^/]/.test(word)) throw refusedAt(setting, `includes ${word}, the home of another user`, 'write the path');
      const path = word.startsWith('~/')
        ? join(home, word.slice(2))
        : word.startsWith('/')
          ? word
          : join(includeFolder, word);
      for (const found of await globbed(path)) {
        const inside: Scope = { isActive: scope.isActive, isNever: !scope.isActive };
        await this.read({ path: found, includeFolder, isChecked: true }, depth + 1, inside);
      }
    }
  }
}

/** The name that `HostName` stands for. */
export function expandHostName(setting: Setting, host: string): string {
  const [word = ''] = setting.line.words;
  return word.replaceAll(/%(.?)/g, (whole, token: string) => {
    if (token === 'h') return host;
    if (token === '%') return '%';
    throw refusedAt(setting, `has ${whole} in HostName, which is not supported`, 'write the name out');
  });
}

async function textOf({ path, isChecked }: ConfigFile): Promise<string> {
  try {
    const { content, stats } = await readBounded(path, LARGEST_FILE_BYTES);
    const uid = process.getuid?.();
    const isSafe = (stats.uid === 0 || stats.uid === uid) && (stats.mode & 0o022) === 0;
    if (isChecked && uid !== undefined && !isSafe) {
      throw refused(path, 'belongs to another user, or others may write to it', undefined, `chmod 600 ${path}`);
    }
    return content.toString('utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    if (code?.startsWith('WARMVM_')) throw error;
    if (error instanceof RangeError) throw refused(path, 'is larger than 1 MiB', error);
    throw refused(path, `cannot be read: ${(error as Error).message}`, error);
  }
}

/** Files that a path with patterns of the shell means, in their order. */
async function globbed(path: string): Promise<readonly string[]> {
  let found = ['/'];
  for (const part of path.split('/').filter((name) => name !== '')) {
    if (!/[*?[\\]/.test(part)) {
      found = found.map((folder) => join(folder, part));
      continue;
    }
    const next: string[] = [];
    for (const folder of found) {
      const names = await readdir(folder).catch(() => []);
      next.push(...names.filter((name) => matchesGlob(part, name)).map((name) => join(folder, name)));
    }
    found = next.sort().slice(0, MOST_FILES + 1);
  }
  return found;
}

/** A configuration that is refused because of one of its lines. */
export function refusedAt({ file, lineNumber, line }: Setting, why: string, remedy?: string): Error {
  return refused(`${file}:${lineNumber}`, why, undefined, remedy, line.keyword);
}

function refused(file: string, why: string, cause?: unknown, what?: string, directive?: string): Error {
  const elsewise = 'set options.sshConfig to false and write the values into the options';
  const remedy = `${what ?? 'correct the file'}, or ${elsewise}`;
  const details = { file, ...(directive === undefined ? {} : { directive }), remedy };
  return sshError('config-not-supported', `ssh configuration ${file} ${why}`, details, cause);
}
