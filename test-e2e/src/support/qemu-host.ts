import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A state folder of a suite's own, and what runs for it. */
export interface QemuHost extends AsyncDisposable {
  readonly stateDirectory: string;
  /** Everything of it: files but those of kept golden snapshots, and processes of QEMU that run in it. */
  inventory(): Promise<readonly string[]>;
  /** Process ids of the QEMUs whose command line, or the folder that they run in, holds the text. */
  processesWith(text: string): Promise<readonly number[]>;
}

export async function openQemuHost(): Promise<QemuHost> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'warmvm-qemu-'));
  const inventory = async (): Promise<readonly string[]> => {
    const files = (await readdir(stateDirectory, { recursive: true })).filter((name) => name.includes('/'));
    // Locks come and go with each look at a machine. A dead process may leave one; the process that removes the machine removes it too.
    const made = files.filter((name) => !name.startsWith('goldens/') && !name.startsWith('locks/'));
    const processes = await processesWith(stateDirectory);
    return [...made, ...processes.map((pid) => `process ${pid}`)].sort();
  };
  return {
    stateDirectory,
    inventory,
    processesWith,
    async [Symbol.asyncDispose]() {
      for (const pid of await processesWith(stateDirectory)) process.kill(pid, 'SIGKILL');
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}

async function processesWith(text: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const commandLine = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    const folder = await readlink(`/proc/${name}/cwd`).catch(() => '');
    const isMeant = commandLine.includes(text) || folder.includes(text);
    if (/^\S*qemu-system-/.test(commandLine) && isMeant) found.push(Number(name));
  }
  return found;
}
