import { type FSWatcher, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { WarmvmError } from '@warmvm/core/driver';
import { STATE_FOLDERS } from './state-folder.ts';

/**
 * Notices when the state folder goes away: removed, moved, or unmounted with what it lies on, or emptied by somebody who cleans up. It
 * is to this driver what the connection is to others: without it nothing can be made, found or cleaned up any more.
 */
export class FolderWatch {
  readonly #path: string;
  readonly #onLost: (error: WarmvmError) => void;
  #watcher: FSWatcher | undefined;
  /** Of the folder and those in it. */
  #inodes: readonly (number | undefined)[] | undefined;

  /** @param onLost told at most once for each {@link begin} */
  constructor(path: string, onLost: (error: WarmvmError) => void) {
    this.#path = path;
    this.#onLost = onLost;
  }

  /** Whether the folder was there when it was looked at last. */
  get isWatching(): boolean {
    return this.#inodes !== undefined;
  }

  /** Begins with the folder that is there now. */
  begin(): void {
    if (this.#inodes !== undefined) return;
    this.#inodes = this.#present();
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => this.look());
      this.#watcher.on('error', () => this.look());
    } catch {
      // No watch is to be had (their number is limited): then every call looks by itself, and tells later.
    }
    this.look();
  }

  /** Looks now. */
  look(): void {
    const known = this.#inodes;
    if (known === undefined) return;
    const present = this.#present();
    if (known.every((inode, index) => inode === undefined || inode === present[index])) return;
    this.end();
    const isEmptied = present[0] === known[0];
    const what = isEmptied
      ? `what the state folder ${this.#path} held was removed`
      : `the state folder ${this.#path} has gone`;
    this.#onLost(
      new WarmvmError('WARMVM_HOST_LOST', `${what}, and all machines with it`, {
        retryable: true,
        details: {
          stateDirectory: this.#path,
          remedy: isEmptied
            ? 'the next call makes the folders again; keep programs that clean up away from the state folder'
            : 'restore the folder, or make a new driver',
        },
      }),
    );
  }

  end(): void {
    this.#inodes = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #present(): readonly (number | undefined)[] {
    const folders = [this.#path, ...STATE_FOLDERS.map((name) => join(this.#path, name))];
    return folders.map((folder) => statSync(folder, { throwIfNoEntry: false })?.ino);
  }
}
