import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Containment, launch } from './launch.ts';

/** A program that contains others: its absolute path, or why there is none that works. */
export type Tool = { readonly path: string } | { readonly missing: string };

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];
const TRIAL_TIMEOUT_MS = 10_000;
/** QEMU writes at least its state. */
const TRIAL_FILE_BYTES = 2 ** 30;

/** Looks for a program of the system. */
export async function findTool(name: string): Promise<Tool> {
  for (const folder of FOLDERS) {
    const path = `${folder}/${name}`;
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return { path };
  }
  return { missing: `${name} is not installed` };
}

/** Runs a program in its containment. Resolves with what went wrong; undefined: nothing. */
export async function complaintOf(
  containment: Containment,
  program: string,
  words: readonly string[] = [],
): Promise<string | undefined> {
  const { command, arguments: list, options } = trialOf(containment, program, words);
  const { uid, gid, env } = options;
  const identity = uid === undefined || gid === undefined ? {} : { uid, gid };
  try {
    await promisify(execFile)(command, [...list], { cwd: '/', env, timeout: TRIAL_TIMEOUT_MS, ...identity });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    return (stderr?.trim() || message).slice(0, 300);
  }
}

/** Whether this process may end what it starts in a containment. A process of another user takes the right to (CAP_KILL). */
export async function canEnd(containment: Containment, echo: string): Promise<boolean> {
  const { command, arguments: list, options } = trialOf(containment, echo, []);
  const child = spawn(command, [...list], { ...options, stdio: ['pipe', 'pipe', 'ignore'] });
  // A signal that is refused is an error of the child, too.
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  const ended = new Promise<false>((resolve) => child.once('close', () => resolve(false)));
  const answers = new Promise<true>((resolve) => child.stdout?.once('data', () => resolve(true)));
  // What answers is the program itself, and no longer one of those that change its user.
  child.stdin?.write('?');
  if (!(await Promise.race([answers, ended]))) return false;
  const isAllowed = child.kill('SIGKILL');
  // One that may not be killed ends by itself.
  if (!isAllowed) child.stdin?.end();
  await ended;
  return isAllowed;
}

function trialOf(containment: Containment, program: string, words: readonly string[]): ReturnType<typeof launch> {
  const plan = {
    program,
    arguments: words,
    directory: '/',
    maxFileBytes: TRIAL_FILE_BYTES,
    accelerated: true,
  } as const;
  return launch({ ...plan, stdio: 'ignore' }, containment);
}
