import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PoolEvent } from '@warmvm/core';
import { ControlConnection } from 'warmvm/kept-pool/client/control-connection';
import { type ProgramEnd, type ProgramRun, runProgram } from './main-program.ts';

/** Somebody who uses the command line, with an empty folder to stand in and nothing kept anywhere yet. */
export interface CommandUser extends AsyncDisposable {
  /** Where the commands run; a configuration there keeps what QEMU's machines need in a place of this user's. */
  readonly folder: string;
  start(...words: readonly string[]): ProgramRun;
  run(...words: readonly string[]): Promise<ProgramEnd>;
  /** Connects to a pool that this user keeps, and collects what happens in it from now on. */
  watch(pool: string): Promise<PoolWatch>;
  /** Everything that commands of this user have left: processes, sockets, files but those of kept golden snapshots, and cgroups. */
  traces(): Promise<readonly string[]>;
}

/** What happens in a kept pool. */
export interface PoolWatch extends Disposable {
  readonly events: readonly PoolEvent[];
  /** Resolves with the first event that is meant, one that has happened included. */
  until<Type extends PoolEvent['type']>(
    type: Type,
    isMeant: (event: Extract<PoolEvent, { type: Type }>) => boolean,
  ): Promise<Extract<PoolEvent, { type: Type }>>;
}

type Command = readonly [string, ...string[]];

/** Makes a {@link CommandUser}. `command`, which may depend on the folder, starts the program. @default the sources of this repository */
export async function openCommandUser(command?: Command | ((folder: string) => Command)): Promise<CommandUser> {
  const home = await mkdtemp(join(tmpdir(), 'warmvm-user-'));
  const folder = join(home, 'project');
  const runtime = join(home, 'run');
  // QEMU's user has to get to the state folder.
  await chmod(home, 0o711);
  await mkdir(folder);
  await mkdir(runtime, { mode: 0o700 });
  const config = { driver: { use: 'qemu', options: { stateDirectory: join(home, 'state') } } };
  await writeFile(join(folder, 'warmvm.config.json'), JSON.stringify(config));
  const environment = { XDG_RUNTIME_DIR: runtime };
  const start = (...words: readonly string[]): ProgramRun =>
    runProgram(words, folder, environment, typeof command === 'function' ? command(folder) : command);
  return {
    folder,
    start,
    async run(...words) {
      await using running = start(...words);
      return await running.ended;
    },
    watch: (pool) => watchPool(join(runtime, 'warmvm', `${pool}.sock`)),
    async traces() {
      const files = await readdir(home, { recursive: true, withFileTypes: true });
      const left = files
        .filter((entry) => !entry.isDirectory())
        .map(({ parentPath, name }) => join(parentPath, name).slice(home.length + 1))
        .filter((path) => !path.startsWith('project/') && !path.startsWith('state/goldens/'));
      const groups = (await readdir('/sys/fs/cgroup', { recursive: true })).filter((path) =>
        /\/warmvm-\w+$/.test(path),
      );
      return [...left, ...groups, ...(await processesOf(home))].sort();
    },
    async [Symbol.asyncDispose]() {
      for (const line of await processesOf(home)) process.kill(Number(line.split(' ')[1]), 'SIGKILL');
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Processes that were told of this folder, by their command line or their environment; not this one, and none that has ended. */
async function processesOf(home: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const [words, variables] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    if (`${words}\0${variables}`.includes(home)) found.push(`process ${pid} ${words?.split('\0')[0]}`);
  }
  return found;
}

async function watchPool(path: string): Promise<PoolWatch> {
  const connection = await ControlConnection.open(path);
  const events: PoolEvent[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  connection.onEvent = (event) => {
    events.push(event);
    wake();
  };
  connection.lost.addEventListener('abort', wake);
  // Answered when there are no more; what is asked after it is answered when they have begun.
  connection.call({ type: 'events' }).catch(() => {});
  await connection.call({ type: 'status' });
  return {
    events,
    async until(type, isMeant) {
      const { promise, resolve, reject } = Promise.withResolvers<never>();
      const look = (): void => {
        const found = events.find((event) => event.type === type && isMeant(event as never));
        if (found !== undefined) resolve(found as never);
        else if (connection.lost.aborted) reject(new Error(`the pool ended without ${type}`));
      };
      waiting.add(look);
      look();
      return await promise.finally(() => waiting.delete(look));
    },
    [Symbol.dispose]: () => connection.close(),
  };
}
