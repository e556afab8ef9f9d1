import { EXEC_SCRIPT, PIPE_SCRIPT } from '../exec-script.ts';
import type { MemoryFileHandles } from './memory-file-handles.ts';
import { MemoryInode } from './memory-inode.ts';
import type { MemoryExit, MemoryInvocation, MemoryProgram } from './memory-process.ts';

/** As much as fits in the smallest pipe that Linux makes, so that tests see a full one. */
const PIPE_BYTES = 4096;

/** What the memory agent's `/bin/sh` is made of. */
export interface MemoryShellOptions {
  readonly programs: ReadonlyMap<string, MemoryProgram>;
  readonly files: Map<string, Uint8Array>;
  readonly handles: MemoryFileHandles;
}

/** A shell that knows the two scripts of the client, and does what they say. */
export function memoryShell({ programs, files, handles }: MemoryShellOptions): MemoryProgram {
  const run = async (invocation: MemoryInvocation): Promise<MemoryExit> => {
    const [name = '', input = '', folder = '', ...argv] = invocation.argv.slice(4);
    const complaint = (exitCode: number, text: string): MemoryExit => ({ exitCode, stderr: `${text}\n` });
    if (folder !== '' && ![...files.keys()].some((path) => path.startsWith(`${folder}/`))) {
      return complaint(126, `there is no folder ${folder}`);
    }
    const program = programs.get(argv[0] ?? '');
    if (program === undefined) return complaint(127, `there is no program ${argv[0]}`);
    const pipe = handles.inode(`${name}.in`);
    const stdin =
      pipe === undefined && input !== '' ? (files.get(`${name}.in`) ?? new Uint8Array(0)) : new Uint8Array(0);
    const output = { stdout: handles.inode(`${name}.out`), stderr: handles.inode(`${name}.err`) };
    for (const suffix of ['in', 'out', 'err']) handles.unlink(`${name}.${suffix}`);
    const emit = (stream: 'stdout' | 'stderr', bytes: Uint8Array | string): void =>
      void output[stream]?.append(Buffer.from(bytes));
    const exit = await program({
      ...invocation,
      argv,
      stdin,
      workingDirectory: folder,
      emit,
      ...(pipe === undefined ? {} : { input: pipe.drain() }),
    });
    emit('stdout', exit.stdout ?? '');
    emit('stderr', exit.stderr ?? '');
    return exit.signal === undefined ? { exitCode: exit.exitCode ?? 0 } : { signal: exit.signal };
  };
  return (invocation) => {
    const [, , script, , name] = invocation.argv;
    if (script === EXEC_SCRIPT) return run(invocation);
    if (script !== PIPE_SCRIPT) return { exitCode: 2, stderr: 'sh: unknown script\n' };
    handles.link(`${name}.in`, new MemoryInode(PIPE_BYTES));
    return {};
  };
}
