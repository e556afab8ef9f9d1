import { mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { WarmvmError } from '@warmvm/core';

/** Who may look into the store: nobody else, or, where root's QEMU runs as another user, those who know a file's name. */
export interface StoreModes {
  readonly folder: number;
  readonly file: number;
}

/** QEMU that root starts runs as another user, who has to get to a disk; it cannot list the folders on the way. */
const SHARED: StoreModes = { folder: 0o711, file: 0o444 };
const PRIVATE: StoreModes = { folder: 0o700, file: 0o400 };

/** The modes of this user's store. */
export function storeModes(isRoot: boolean = process.getuid?.() === 0): StoreModes {
  return isRoot ? SHARED : PRIVATE;
}

/** Where images are kept: `$XDG_DATA_HOME/warmvm/images`, else `/var/lib/warmvm/images` for root and `~/.local/share/warmvm/images` for others. */
export function storeFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  isRoot: boolean = process.getuid?.() === 0,
): string {
  const data = environment.XDG_DATA_HOME;
  if (data !== undefined && isAbsolute(data)) return join(data, 'warmvm', 'images');
  return isRoot ? '/var/lib/warmvm/images' : join(homedir(), '.local', 'share', 'warmvm', 'images');
}

/** Makes the folder where it is missing. @throws WARMVM_GOLDEN_INVALID when it cannot be made, or others may write there */
export async function openStoreFolder(folder: string, modes: StoreModes): Promise<void> {
  const refuse = (problem: string, cause?: unknown): WarmvmError =>
    new WarmvmError('WARMVM_GOLDEN_INVALID', `the folder of images ${folder} ${problem}`, {
      details: { folder },
      ...(cause === undefined ? {} : { cause }),
    });
  try {
    await mkdir(folder, { recursive: true, mode: modes.folder });
  } catch (cause) {
    throw refuse('cannot be made; set XDG_DATA_HOME to a folder of yours', cause);
  }
  const { mode, uid } = await stat(folder);
  const own = process.getuid?.() ?? uid;
  if ((mode & 0o022) === 0 && uid === own) return;
  throw refuse('belongs to somebody else, or others may write to it; make it yours alone (chmod go-w)');
}
