import { posix } from 'node:path';
import { type Clock, sleep } from '@warmvm/core/driver';
import { GuestFileError } from './guest-files.ts';
import type { GuestWorld } from './guest-world.ts';

/** What a program of the in-memory guest gets. */
export interface ProgramContext {
  readonly arguments: readonly string[];
  /** Standard input, as it comes. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes to standard output before the program ends. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Where the program was started; an absolute path. */
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly world: GuestWorld;
  readonly clock: Clock;
  /** Aborted when the process is killed. */
  readonly signal: AbortSignal;
  /** More output than this is cut anyway. */
  readonly maxOutputBytes: number;
}

/** What a program wrote, and its exit code. */
export interface ProgramEnd {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

type Program = (context: ProgramContext) => ProgramEnd | Promise<ProgramEnd>;

const NOTHING = new Uint8Array();
const encoder = new TextEncoder();

function said(stdout: string | Uint8Array = NOTHING): ProgramEnd {
  return { exitCode: 0, stdout: typeof stdout === 'string' ? encoder.encode(stdout) : stdout, stderr: NOTHING };
}

function failed(message: string, stdout: Uint8Array = NOTHING, exitCode = 1): ProgramEnd {
  return { exitCode, stdout, stderr: encoder.encode(`${message}\n`) };
}

function lines(values: readonly string[]): ProgramEnd {
  return said(values.map((value) => `${value}\n`).join(''));
}

async function everything(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of input) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function cat({ arguments: paths, input, write, world, workingDirectory }: ProgramContext): Promise<ProgramEnd> {
  if (paths.length > 0)
    return said(Buffer.concat(paths.map((path) => world.read(posix.resolve(workingDirectory, path)))));
  for await (const piece of input) await write(piece);
  return said();
}

async function tee({ arguments: given, input, world, workingDirectory }: ProgramContext): Promise<ProgramEnd> {
  const content = await everything(input);
  const append = given[0] === '-a';
  for (const path of append ? given.slice(1) : given)
    world.write(posix.resolve(workingDirectory, path), content, append);
  return said(content);
}

function rm({ arguments: given, world, workingDirectory }: ProgramContext): ProgramEnd {
  const force = given[0] === '-f';
  for (const path of force ? given.slice(1) : given) {
    const normal = posix.resolve(workingDirectory, path);
    if (!world.filesOf(normal).remove(normal) && !force) return failed(`rm: ${path}: No such file or directory`);
  }
  return said();
}

function ls({ arguments: given, world, workingDirectory }: ProgramContext): ProgramEnd {
  const folder = posix.resolve(workingDirectory, given[0] ?? '.');
  const prefix = folder.endsWith('/') ? folder : `${folder}/`;
  const paths = [...world.memory.paths(), ...world.disk.paths()];
  if (paths.includes(folder)) return lines([folder]);
  const names = paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length).split('/')[0]!);
  if (names.length === 0 && folder !== '/' && folder !== '/disk') {
    return failed(`ls: ${folder}: No such file or directory`);
  }
  return lines([...new Set(names)].sort());
}

function date({ arguments: given, world, clock }: ProgramContext): ProgramEnd {
  const timeMs = world.timeMs(clock);
  if (given[0] === '+%s') return lines([String(Math.floor(timeMs / 1000))]);
  if (given.length > 0) return failed(`date: invalid date '${given.join(' ')}'`);
  return lines([new Date(timeMs).toISOString()]);
}

async function head({
  arguments: given,
  input,
  world,
  maxOutputBytes,
  workingDirectory,
}: ProgramContext): Promise<ProgramEnd> {
  const [option, count, path] = given;
  const length = Number(count);
  if (option !== '-c' || !Number.isInteger(length) || length < 0) return failed('head: usage: head -c COUNT [FILE]');
  // One byte over the bound is enough to show that output was cut.
  if (path === '/dev/urandom') return said(world.random.draw(Math.min(length, maxOutputBytes + 1)));
  const content = path === undefined ? await everything(input) : world.read(posix.resolve(workingDirectory, path));
  return said(content.subarray(0, length));
}

function kill({ arguments: given, world }: ProgramContext): ProgramEnd {
  const named = given[0]?.startsWith('-') ? Number(given[0].slice(1)) : undefined;
  const signalNumber = named ?? 15;
  if (!Number.isInteger(signalNumber) || signalNumber < 1 || signalNumber > 64) return failed('kill: bad signal');
  for (const pid of named === undefined ? given : given.slice(1)) {
    const target = world.processes.get(Number(pid));
    if (target?.kill === undefined) return failed(`kill: (${pid}) - No such process`);
    target.kill(signalNumber);
  }
  return said();
}

async function sleepFor({ arguments: given, clock, signal }: ProgramContext): Promise<ProgramEnd> {
  const seconds = Number(given[0]);
  if (given.length !== 1 || !Number.isFinite(seconds) || seconds < 0) {
    return failed(`sleep: invalid time interval '${given.join(' ')}'`);
  }
  await sleep(clock, seconds * 1000, signal);
  return said();
}

const PROGRAMS: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['true', () => said()],
  ['false', () => ({ ...said(), exitCode: 1 })],
  ['echo', ({ arguments: given }) => said(`${given.join(' ')}\n`)],
  ['cat', cat],
  ['tee', tee],
  ['rm', rm],
  ['ls', ls],
  ['hostname', ({ world }) => lines([world.hostname])],
  ['date', date],
  ['ps', ({ world }) => lines([...world.processes.values()].map(({ pid, command }) => `${pid} ${command.join(' ')}`))],
  ['head', head],
  ['env', ({ environment }) => lines(Object.entries(environment).map(([name, value]) => `${name}=${value}`))],
  ['pwd', ({ workingDirectory }) => lines([workingDirectory])],
  ['kill', kill],
  ['sleep', sleepFor],
]);

/** The program of this name, with or without `/bin/` or `/usr/bin/`; undefined where the guest has none. */
export function findProgram(name: string): Program | undefined {
  const program = PROGRAMS.get(name.replace(/^(\/usr)?\/bin\//, ''));
  if (program === undefined) return undefined;
  return async (context) => {
    try {
      return await program(context);
    } catch (error) {
      if (error instanceof GuestFileError) return failed(`${name}: ${error.message}`);
      throw error;
    }
  };
}
