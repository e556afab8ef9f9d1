import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { currentOwnerProcess, judgeOwner, type OwnerProcess } from '@warmvm/core/driver';

/**
 * Says that this process uses something, by the name of an empty file in the folder, for as long as the process lives: machines of
 * an image are made for as long. The dead are told apart by their start time, so that neither a crash nor a new process of the same
 * id matters.
 */
export async function markUse(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { pid, startTime, bootId } = currentOwnerProcess();
  const words = [pid, startTime, encodeURIComponent(bootId), randomBytes(4).toString('hex')];
  const path = join(folder, words.join('_'));
  await (await open(path, 'wx', 0o600)).close();
  process.once('exit', () => rmSync(path, { force: true }));
}

/** Those who use it, or may: processes of another container cannot be judged from here. Marks of the dead are removed. */
export async function usersOf(folder: string): Promise<readonly OwnerProcess[]> {
  const users: OwnerProcess[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid, startTime, bootId] = /^(\d+)_([^_]+)_(.+)_[0-9a-f]{8}$/.exec(name) ?? [];
    if (pid === undefined || startTime === undefined || bootId === undefined) continue;
    const user = { pid: Number(pid), startTime, bootId: decodeURIComponent(bootId) };
    if (judgeOwner(user) === 'dead') await rm(join(folder, name), { force: true });
    else users.push(user);
  }
  return users;
}
