import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { invalidGolden } from '../invalid.ts';

/** No link in a Debian package needs more steps than this. */
const MAXIMUM_LINKS = 8;

/** The files of one unpacked package. Links are followed only inside the package: it cannot name a file of this machine. */
export class PackageFiles {
  readonly #root: string;
  readonly #name: string;

  /** @param root the folder it was unpacked into */
  constructor(name: string, root: string) {
    this.#name = name;
    this.#root = root;
  }

  /** Paths of all files and links below the folders that exist of those named; relative, sorted. */
  async list(folders: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (const folder of folders) {
      const entries = await readdir(join(this.#root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (entry.isDirectory()) continue;
        found.push(relative(this.#root, join(entry.parentPath, entry.name)));
      }
    }
    return found.sort();
  }

  /**
   * The content of the first of these paths that the package has.
   * @throws WARMVM_GOLDEN_INVALID when it has none of them
   */
  async read(...paths: readonly string[]): Promise<Buffer> {
    for (const path of paths) {
      const real = await this.#resolve(path);
      if (real !== undefined) return readFile(real);
    }
    throw invalidGolden(`The package ${this.#name} has no ${paths.join(' or ')}.`, { package: this.#name, paths });
  }

  /** The absolute path of a regular file of the package, links followed. */
  async locate(...paths: readonly string[]): Promise<string> {
    for (const path of paths) {
      const real = await this.#resolve(path);
      if (real !== undefined) return real;
    }
    throw invalidGolden(`The package ${this.#name} has no ${paths.join(' or ')}.`, { package: this.#name, paths });
  }

  async #resolve(path: string): Promise<string | undefined> {
    let current = normalize(`/${path}`);
    for (let step = 0; step < MAXIMUM_LINKS; step += 1) {
      const absolute = join(this.#root, current);
      const found = await lstat(absolute).catch(() => undefined);
      if (found?.isFile()) return absolute;
      if (!found?.isSymbolicLink()) return undefined;
      const target = await readlink(absolute);
      current = normalize(target.startsWith('/') ? target : join(dirname(current), target));
    }
    throw invalidGolden(`${basename(path)} of the package ${this.#name} is a circle of links.`, {
      package: this.#name,
    });
  }
}
