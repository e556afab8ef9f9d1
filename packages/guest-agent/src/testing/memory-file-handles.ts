import { MemoryInode } from './memory-inode.ts';
import { Refusal } from './refusal.ts';

interface OpenFile {
  readonly path: string;
  /** Only for what is open for reading and writing. */
  readonly inode: MemoryInode | undefined;
  /** Written, and not flushed: what a pipe has not taken yet. */
  unflushed: Uint8Array;
  /** The last flush failed, and the next write says so once more. */
  failed: boolean;
  position: number;
}

/** The open files of the memory agent. */
export class MemoryFileHandles {
  readonly #files: Map<string, Uint8Array>;
  readonly #open: Map<number, OpenFile> = new Map();
  readonly #inodes: Map<string, MemoryInode> = new Map();
  #next = 1000;

  constructor(files: Map<string, Uint8Array>) {
    this.#files = files;
  }

  get count(): number {
    return this.#open.size;
  }

  /** What is open for reading and writing under this name. */
  inode(path: string): MemoryInode | undefined {
    return this.#inodes.get(path);
  }

  link(path: string, inode: MemoryInode): void {
    this.#inodes.set(path, inode);
    this.#files.set(path, new Uint8Array(0));
  }

  unlink(path: string): void {
    this.#inodes.delete(path);
    this.#files.delete(path);
  }

  open(path: string, mode: string): number {
    const present = this.#files.get(path);
    if (mode.startsWith('r') && present === undefined) {
      throw new Refusal(`failed to open file '${path}' (mode: '${mode}'): No such file or directory`);
    }
    if (!['r', 'w', 'a', 'r+', 'w+'].includes(mode)) throw new Refusal(`invalid file open mode '${mode}'`);
    if (mode === 'w+') this.link(path, new MemoryInode());
    else if (mode === 'w' || present === undefined) this.#files.set(path, new Uint8Array(0));
    const inode = mode.endsWith('+') ? this.#inodes.get(path) : undefined;
    inode?.opened();
    this.#next += 1;
    this.#open.set(this.#next, { path, inode, unflushed: new Uint8Array(0), failed: false, position: 0 });
    return this.#next;
  }

  read(handle: number, count: number): object {
    const file = this.#file(handle);
    const content = file.inode?.content ?? this.#files.get(file.path) ?? new Uint8Array(0);
    const bytes = content.subarray(file.position, file.position + count);
    file.position += bytes.length;
    return {
      count: bytes.length,
      'buf-b64': Buffer.from(bytes).toString('base64'),
      // As the C library has it: the end is noticed when less than asked for was there.
      eof: bytes.length < count,
    };
  }

  write(handle: number, base64: string): object {
    const file = this.#file(handle);
    const bytes = Buffer.from(base64, 'base64');
    if (file.inode === undefined) {
      const present = this.#files.get(file.path) ?? new Uint8Array(0);
      this.#files.set(file.path, new Uint8Array(Buffer.concat([present, bytes])));
      return { count: bytes.length, eof: false };
    }
    file.unflushed = new Uint8Array(Buffer.concat([file.unflushed, bytes]));
    const failed = file.failed;
    file.failed = false;
    if (failed) throw new Refusal('failed to write to file: Resource temporarily unavailable');
    return { count: bytes.length, eof: false };
  }

  flush(handle: number): object {
    const file = this.#file(handle);
    const bytes = file.unflushed;
    // As the C library has it, whatever becomes of them.
    file.unflushed = new Uint8Array(0);
    if (file.inode?.append(bytes) !== false) return {};
    file.failed = true;
    throw new Refusal('failed to flush file: Resource temporarily unavailable');
  }

  close(handle: number): object {
    this.#file(handle).inode?.closed();
    this.#open.delete(handle);
    return {};
  }

  #file(handle: number): OpenFile {
    const file = this.#open.get(handle);
    if (file === undefined) throw new Refusal(`handle '${handle}' has not been found`);
    return file;
  }
}
