import type { Argument, Command, Option } from 'commander';
import { VALUE_KINDS, type ValueKind } from './value-kinds.ts';

/** Something that may stand there. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What may stand there: one of these, or a file. */
export type Completion =
  | { readonly kind: 'values'; readonly values: readonly Candidate[] }
  | { readonly kind: 'files' };

/** Looks up the names that there are now. */
export type NameSource = (kind: Exclude<ValueKind, 'files' | 'nothing'>) => Promise<readonly Candidate[]>;

/** The argument from which on everything belongs to somebody else. */
const FOREIGN = 'command';

/** Where a line ends: in which command, and what is expected there. */
interface Place {
  readonly command: Command;
  /** The option whose value is wanted. */
  readonly option: Option | undefined;
  /** How many arguments came before. */
  readonly position: number;
  readonly takesOptions: boolean;
}

/** What may stand in place of the last word, which may be begun; all from the program itself. */
export async function complete(program: Command, line: readonly string[], names: NameSource): Promise<Completion> {
  const words = joined(line);
  const partial = words.at(-1) ?? '';
  const place = placeAfter(program, words.slice(0, -1));
  const endsOption = place.option?.variadic === true && partial.startsWith('-');
  if (place.option !== undefined && !endsOption) return valuesOf(place.option, partial, names);
  const [, long = '', value = ''] = (place.takesOptions && /^(--[^=]+)=(.*)$/s.exec(partial)) || [];
  if (long !== '') {
    const option = findOption(place.command, long);
    const found = option === undefined ? NOTHING : await valuesOf(option, value, names);
    return found.kind === 'files' ? found : values(found.values, '', (name) => `${long}=${name}`);
  }
  if (place.takesOptions && partial.startsWith('-')) return optionsOf(place.command, partial);
  const below = place.position === 0 ? subcommandsOf(place.command, partial) : NOTHING;
  const wanted = argumentAt(place);
  if (wanted === undefined && place.command.commands.length > 0) return below;
  const own = wanted === undefined ? NOTHING : await valuesOf(wanted, partial, names);
  const found = own.kind === 'files' ? own : { ...own, values: [...own.values, ...below.values] };
  const isEmpty = found.kind === 'values' && found.values.length === 0;
  return isEmpty && place.takesOptions && partial === '' ? optionsOf(place.command, '') : found;
}

type ValueCompletion = Extract<Completion, { readonly kind: 'values' }>;

const NOTHING: ValueCompletion = { kind: 'values', values: [] };

/** Bash makes three words of `--option=value`. */
function joined(line: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (const [at, word] of line.entries()) {
    const isSign = word === '=' && line[at - 1]?.startsWith('--') === true;
    if (!isSign) words.push(word);
    else if (at === line.length - 1) words.push('');
  }
  return words;
}

function placeAfter(program: Command, words: readonly string[]): Place {
  let command = program;
  let option: Option | undefined;
  let position = 0;
  let takesOptions = true;
  for (const word of words) {
    if (option !== undefined && !(option.variadic && word.startsWith('-'))) {
      if (!option.variadic) option = undefined;
    } else if (takesOptions && word === '--') {
      option = undefined;
      takesOptions = false;
    } else if (takesOptions && word.startsWith('-')) {
      const found = findOption(command, word);
      option = found?.required === true ? found : undefined;
    } else {
      const below = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
      if (below === undefined) {
        if (argumentAt({ command, position })?.name() === FOREIGN) takesOptions = false;
        position += 1;
      } else command = below;
    }
  }
  return { command, option, position, takesOptions };
}

function argumentAt({ command, position }: Pick<Place, 'command' | 'position'>): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return command.registeredArguments[position] ?? (last?.variadic === true ? last : undefined);
}

function findOption(command: Command, flag: string): Option | undefined {
  return command.options.find(({ short, long }) => short === flag || long === flag);
}

async function valuesOf(wanted: Option | Argument, partial: string, names: NameSource): Promise<Completion> {
  const { argChoices } = wanted;
  if (argChoices !== undefined)
    return values(
      argChoices.map((value) => ({ value, description: '' })),
      partial,
    );
  const kind = kindOf(wanted);
  // Drivers and images may be named by a path as well.
  if (kind === 'files' || (partial.includes('/') && (kind === 'drivers' || kind === 'images')))
    return { kind: 'files' };
  return kind === 'nothing' ? NOTHING : values(await names(kind).catch(() => []), partial);
}

/** What a value is; undefined for one that nobody has thought of. */
export function knownKindOf(wanted: Option | Argument): ValueKind | undefined {
  if ('flags' in wanted) {
    const called = /<[^>]+>/.exec(wanted.flags)?.[0] ?? '';
    return VALUE_KINDS[wanted.long ?? ''] ?? VALUE_KINDS[called];
  }
  return VALUE_KINDS[`<${wanted.name()}${wanted.variadic ? '...' : ''}>`];
}

function kindOf(wanted: Option | Argument): ValueKind {
  return knownKindOf(wanted) ?? 'nothing';
}

function optionsOf(command: Command, partial: string): Completion {
  const options = command.createHelp().visibleOptions(command);
  const found = options.flatMap(({ short, long, description }) =>
    [long, partial.startsWith('--') ? undefined : short].flatMap((value) =>
      value === undefined ? [] : [{ value, description }],
    ),
  );
  // What is longer says what it is.
  return values(partial === '' ? found.filter(({ value }) => value.startsWith('--')) : found, partial);
}

function subcommandsOf(command: Command, partial: string): ValueCompletion {
  const found = command.commands.length === 0 ? [] : command.createHelp().visibleCommands(command);
  return values(
    found.map((below) => ({ value: below.name(), description: below.summary() || below.description() })),
    partial,
  );
}

function values(all: readonly Candidate[], partial: string, name: (value: string) => string = String): ValueCompletion {
  const found = all.filter(({ value }) => value.startsWith(partial));
  return { kind: 'values', values: found.map((each) => ({ ...each, value: name(each.value) })) };
}
