import { Refusal } from './refusal.ts';

interface OpenFile {
  readonly path: string;
  position: number;
}

/** The open files of the memory agent. */
export class MemoryFileHandles {
  readonly #files: Map<string, Uint8Array>;
  readonly #open: Map<number, OpenFile> = new Map();
  #next = 1000;

  constructor(files: Map<string, Uint8Array>) {
    this.#files = files;
  }

  get count(): number {
    return this.#open.size;
  }

  open(path: string, mode: string): number {
    const present = this.#files.get(path);
    if (mode === 'r' && present === undefined) {
      throw new Refusal(`failed to open file '${path}' (mode: '${mode}'): No such file or directory`);
    }
    if (!['r', 'w', 'a'].includes(mode)) throw new Refusal(`invalid file open mode '${mode}'`);
    if (mode === 'w' || present === undefined) this.#files.set(path, new Uint8Array(0));
    this.#next += 1;
    this.#open.set(this.#next, { path, position: 0 });
    return this.#next;
  }

  read(handle: number, count: number): object {
    const file = this.#file(handle);
    const content = this.#files.get(file.path) ?? new Uint8Array(0);
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
    const present = this.#files.get(file.path) ?? new Uint8Array(0);
    this.#files.set(file.path, new Uint8Array(Buffer.concat([present, bytes])));
    return { count: bytes.length, eof: false };
  }

  flush(handle: number): object {
    this.#file(handle);
    return {};
  }

  close(handle: number): object {
    this.#file(handle);
    this.#open.delete(handle);
    return {};
  }

  #file(handle: number): OpenFile {
    const file = this.#open.get(handle);
    if (file === undefined) throw new Refusal(`handle '${handle}' has not been found`);
    return file;
  }
}
