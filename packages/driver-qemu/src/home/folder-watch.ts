import { type FSWatcher, type Stats, statSync, watch } from 'node:fs';
import { WarmvmError } from '@warmvm/core/driver';

/**
 * Notices when the state folder goes away: removed, moved, or unmounted with what it lies on. It is to this driver what the
 * connection is to others: without it nothing can be made, found or cleaned up any more.
 */
export class FolderWatch {
  readonly #path: string;
  readonly #onLost: (error: WarmvmError) => void;
  #watcher: FSWatcher | undefined;
  #inode: number | undefined;

  /** @param onLost told at most once for each {@link begin} */
  constructor(path: string, onLost: (error: WarmvmError) => void) {
    this.#path = path;
    this.#onLost = onLost;
  }

  /** Whether the folder was there when it was looked at last. */
  get isWatching(): boolean {
    return this.#inode !== undefined;
  }

  /** Begins with the folder that is there now. */
  begin(): void {
    if (this.#inode !== undefined) return;
    this.#inode = statSync(this.#path).ino;
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
    if (this.#inode === undefined || this.#present()?.ino === this.#inode) return;
    this.end();
    this.#onLost(
      new WarmvmError('WARMVM_HOST_LOST', `the state folder ${this.#path} has gone, and all machines with it`, {
        retryable: true,
        details: { stateDirectory: this.#path, remedy: 'restore the folder, or make a new driver' },
      }),
    );
  }

  end(): void {
    this.#inode = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #present(): Stats | undefined {
    return statSync(this.#path, { throwIfNoEntry: false });
  }
}
