import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { DisposableComputer } from './disposable-computer.ts';
import { processes } from './libvirt-host.ts';

/** Source of the main program. */
export const MAIN: string = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));

/** How a run of the main program ended. */
export interface ProgramEnd {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the main program in a process group of its own, as a terminal runs it. */
export interface ProgramRun extends AsyncDisposable {
  readonly ended: Promise<ProgramEnd>;
  /** Resolves when the text has been printed. @throws Error when the program ends before */
  prints(text: string): Promise<void>;
  /** Signals the whole group, as Ctrl-C does. */
  signal(signal: 'SIGINT' | 'SIGTERM'): void;
  /** Signals the program alone. */
  kill(signal: 'SIGKILL'): void;
}

/** How a program of this repository is started from its source. */
export function fromSource(path: string): readonly [string, ...string[]] {
  return [process.execPath, '--conditions=@warmvm/source', '--no-warnings', path];
}

/** Starts the main program, with more variables than those of this process. Dispose kills it if it still runs. */
export function runProgram(
  words: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  [program, ...flags]: readonly [string, ...string[]] = fromSource(MAIN),
): ProgramRun {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(program, [...flags, ...words], {
    cwd: folder,
    detached: true,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const onText = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    for (const look of onText) look();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<ProgramEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return {
    ended,
    prints: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stdout.includes(text)) resolve();
        };
        onText.add(look);
        look();
        void ended.then(() => reject(new Error(`ended without printing '${text}':\n${stdout}\n${stderr}`)), reject);
      }),
    signal: (signal) => void process.kill(-(child.pid as number), signal),
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** On a disposable computer this is empty at first, and nobody else's. */
const TEMPORARY = '/var/tmp';

/** Where libvirt keeps what it knows, and where machines may keep their disks. */
const FOLDERS: readonly (readonly [folder: string, ours: RegExp])[] = [
  ['/etc/libvirt/qemu', /\.xml$/],
  ['/etc/libvirt/storage', /\.xml$/],
  ['/var/lib/libvirt/qemu/snapshot', /^warmvm/],
  ['/var/lib/libvirt/images', /^warmvm/],
  ['/dev/shm', /^warmvm/],
  [TEMPORARY, /^warmvm-libvirt-/],
  ['/var/lib/warmvm/start/marks', /./],
  ['/var/lib/warmvm/start/machines', /./],
  ['/var/lib/warmvm/start/goldens', /./],
];
const PROGRAMS = /^(qemu-system-\w+|libvirtd|virtlogd|tini)$/;

/**
 * What there is of virtual machines on a computer, a line each, without asking any daemon: none may run. Definitions, snapshots, disks, hypervisors,
 * daemons, guardians, and folders for what is temporary.
 */
export async function traces({ root }: DisposableComputer): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [folder, ours] of FOLDERS) {
    const names = await readdir(join(root, folder)).catch(() => []);
    lines.push(...names.filter((name) => ours.test(name)).map((name) => join(folder, name)));
  }
  for (const { pid, words } of await processes(join(root, 'proc'))) {
    const program = basename(words[0] ?? '');
    const ours = words.some((word) => word === MAIN || word.includes('guardian-main'));
    if (PROGRAMS.test(program) || ours) lines.push(`${program} ${pid}`);
  }
  return lines.sort();
}

/** Runs the main program on a computer where nothing else is; what is temporary goes to a place of that computer's. */
export function runProgramOn(computer: DisposableComputer, words: readonly string[], folder: string): ProgramRun {
  const places = ['TMPDIR', 'XDG_RUNTIME_DIR'].map((name) => `${name}=${TEMPORARY}`);
  return runProgram(words, folder, {}, [
    // What enters the computer waits there for the program: signals to both must not end it first, and killed it takes the program along.
    ...(['env', '--ignore-signal=INT,TERM'] as const),
    ...computer.within(folder),
    ...places,
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
    ...fromSource(MAIN),
  ]);
}
