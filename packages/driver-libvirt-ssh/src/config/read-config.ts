import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import SshConfig, { type Directive, type Line, type Match, type Section } from 'ssh-config';
import { sshError } from '../problem.ts';

/** Deeper nesting than OpenSSH allows is a file that includes itself. */
const DEEPEST_INCLUDE = 16;
const LARGEST_FILE_BYTES: number = 2 ** 20;

/** Criteria of `Match` that can be judged without running a program. */
const JUDGED_CRITERIA = ['host', 'originalhost', 'user', 'localuser', 'all', 'canonical', 'final'];

/** Set in what {@link readConfig} returns where a `Match` applies but for a criterion that is not judged here; names it. */
export const UNJUDGED = 'warmvmunjudged';

/** A configuration file, its includes in place. One that is not there is empty. @throws WARMVM_NOT_SUPPORTED */
export async function readConfig(file: string, home: string): Promise<SshConfig> {
  const config = new SshConfig();
  config.push(...(await linesOf(file, { home, folder: dirname(file), depth: 0 })));
  return config;
}

interface Place {
  readonly home: string;
  /** Where relative includes are looked for. */
  readonly folder: string;
  readonly depth: number;
}

async function linesOf(file: string, place: Place): Promise<readonly Line[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw refused(file, `cannot be read: ${(error as Error).message}`, error);
  }
  if (text.length > LARGEST_FILE_BYTES) throw refused(file, 'is larger than 1 MiB');
  let parsed: readonly Line[];
  try {
    parsed = SshConfig.parse(text);
  } catch (error) {
    throw refused(file, `cannot be parsed: ${(error as Error).message}`, error);
  }
  return expanded(file, parsed, place);
}

async function expanded(file: string, lines: readonly Line[], place: Place): Promise<readonly Line[]> {
  const result: Line[] = [];
  for (const line of lines) {
    if (!isDirective(line)) continue;
    if (/^include$/i.test(line.param)) {
      for (const included of await includedBy(line, place)) {
        if (place.depth >= DEEPEST_INCLUDE) throw refused(file, 'includes itself, or more than 16 files deep');
        result.push(...(await linesOf(included, { ...place, depth: place.depth + 1 })));
      }
    } else {
      if ('config' in line) await expandSection(file, line as Section, place);
      result.push(line);
    }
  }
  return result;
}

async function expandSection(file: string, section: Section, place: Place): Promise<void> {
  const lines = await expanded(file, section.config, place);
  if (lines.some((line) => 'config' in line)) {
    throw refused(file, 'includes a file with Host or Match inside of a Host or Match, which is not supported');
  }
  section.config = new SshConfig();
  const unjudged = 'criteria' in section ? takeUnjudged(section as Match) : [];
  // Found like any other directive, so that it counts only where the rest of the Match applies.
  if (unjudged.length > 0) section.config.push(...SshConfig.parse(`${UNJUDGED} ${unjudged.join(',')}`));
  section.config.push(...lines);
}

/** Takes criteria away that would run a program, or that the parser does not know and would take for "does not match". */
function takeUnjudged(match: Match): readonly string[] {
  const unjudged = Object.keys(match.criteria).filter((name) => !JUDGED_CRITERIA.includes(name.toLowerCase()));
  match.criteria = Object.fromEntries(Object.entries(match.criteria).filter(([name]) => !unjudged.includes(name)));
  return unjudged;
}

/** Files that an `Include` names, with `*` and `?` in their last part. */
async function includedBy(line: Directive, { home, folder }: Place): Promise<readonly string[]> {
  const files: string[] = [];
  for (const word of wordsOf(line.value)) {
    const path = word.startsWith('~/') ? join(home, word.slice(2)) : word.startsWith('/') ? word : join(folder, word);
    if (!/[*?[]/.test(path)) {
      files.push(path);
      continue;
    }
    const pattern = basename(path);
    if (/[*?[]/.test(dirname(path)) || /\[/.test(pattern)) {
      throw refused(word, 'is included by a pattern that is not supported; * and ? are, in the last part');
    }
    const source = [...pattern].map((char) => (char === '*' ? '.*' : char === '?' ? '.' : char.replace(/\W/, '\\$&')));
    const names = await readdir(dirname(path)).catch(() => []);
    const matching = names.filter((name) => !name.startsWith('.') && new RegExp(`^${source.join('')}$`).test(name));
    files.push(...matching.sort().map((name) => join(dirname(path), name)));
  }
  return files;
}

/** The words of a directive's value, however the parser gives it. */
export function wordsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((part) => (typeof part === 'string' ? part : [String(part.val)]));
  return typeof value === 'string' ? value.split(/[ \t]+/).filter((word) => word !== '') : [];
}

function isDirective(line: Line): line is Directive {
  return line.type === SshConfig.DIRECTIVE;
}

function refused(file: string, why: string, cause?: unknown): Error {
  const remedy = 'mend it, or set options.sshConfig to false and say what is needed in the options';
  return sshError('config-not-supported', `ssh configuration ${file} ${why}`, { file, remedy }, cause);
}
