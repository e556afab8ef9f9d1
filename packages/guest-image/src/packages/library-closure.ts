import { basename, join } from 'node:path';
import type { CallOptions } from '@warmvm/core/driver';
import type { GuestArchitecture } from '../architecture/guest-architecture.ts';
import { readElfDynamic } from '../elf/elf-reader.ts';
import { invalidGolden } from '../invalid.ts';
import { PackageFiles } from './package-files.ts';
import type { PackageSource, SourcePackage } from './package-source.ts';

/** A shared library or dynamic loader, by the path the program looks for it at in the guest. */
export interface LibraryFile {
  readonly path: string;
  readonly data: Buffer;
}

/** All that a program needs to start. */
export interface LibraryClosure {
  readonly files: readonly LibraryFile[];
  /** The packages the files came from. */
  readonly packages: readonly SourcePackage[];
}

/** Folders that are the loader's and nobody else's, and those that hold much besides. */
const LOADER_FOLDERS = ['lib64', 'usr/lib64'];
const COMMON_FOLDERS = ['lib', 'usr/lib'];
/** Dependencies of dependencies are followed this far. */
const MAXIMUM_DEPTH = 6;

/**
 * Finds every shared library a program needs, and the dynamic loader, in the packages that its own package depends on.
 * Nothing is taken from this machine.
 * @param directory where packages are unpacked, each below its name
 * @throws WARMVM_GOLDEN_INVALID when a library is in none of them
 */
export async function collectLibraries(
  program: {
    readonly name: string;
    readonly data: Uint8Array;
    readonly package: SourcePackage;
    readonly architecture: GuestArchitecture;
  },
  source: PackageSource,
  directory: string,
  options: CallOptions,
): Promise<LibraryClosure> {
  const search = new LibrarySearch(program.architecture);
  search.want(program.data, program.name);
  let level: readonly SourcePackage[] = [program.package];
  // Passed over for their names; a library found later may still be in one of them.
  let skipped: readonly SourcePackage[] = [];
  const used = new Map<string, SourcePackage>();
  const seen = new Set<string>([program.package.name]);
  for (let depth = 0; depth < MAXIMUM_DEPTH && search.missing.size > 0; depth += 1) {
    const next = await nextLevel(level, seen, source, options);
    const wanted = preferByName([...skipped, ...next], search.missing);
    skipped = [...skipped, ...next].filter((candidate) => !wanted.includes(candidate));
    await source.unpack(wanted, directory, options);
    for (const found of wanted) {
      if (await search.take(new PackageFiles(found.name, join(directory, found.name)))) used.set(found.name, found);
    }
    // A library may need one whose package was unpacked before it.
    for (const found of [...used.values()])
      await search.take(new PackageFiles(found.name, join(directory, found.name)));
    level = next;
  }
  if (search.missing.size > 0) {
    const names = [...search.missing].sort();
    throw invalidGolden(`No package that ${program.package.name} depends on has ${names.join(', ')}.`, {
      libraries: names,
    });
  }
  return { files: search.files(), packages: [...used.values()] };
}

async function nextLevel(
  level: readonly SourcePackage[],
  seen: Set<string>,
  source: PackageSource,
  options: CallOptions,
): Promise<SourcePackage[]> {
  const groups = level.flatMap((holder) => holder.dependencies);
  const known = await source.resolve([...new Set(groups.flat())].sort(), options);
  const next: SourcePackage[] = [];
  for (const group of groups) {
    const name = group.find((alternative) => known.has(alternative));
    const found = name === undefined ? undefined : known.get(name);
    if (found === undefined || seen.has(found.name)) continue;
    seen.add(found.name);
    next.push(found);
  }
  return next;
}

/** Debian names library packages after the library: `libpcre2-8.so.0` is in `libpcre2-8-0`. Only if none fits, all are unpacked. */
function preferByName(candidates: readonly SourcePackage[], missing: ReadonlySet<string>): readonly SourcePackage[] {
  const libraries = candidates.filter(({ name }) => name.startsWith('lib'));
  const expected = new Set([...missing].map((soname) => squeeze(soname.replace('.so.', '-'))));
  const fitting = libraries.filter(({ name }) => expected.has(squeeze(name)));
  const covered = new Set(fitting.map(({ name }) => squeeze(name)));
  return [...expected].every((name) => covered.has(name)) ? fitting : libraries;
}

function squeeze(name: string): string {
  return name.replace(/t64$/, '').replaceAll('-', '').toLowerCase();
}

class LibrarySearch {
  readonly missing: Set<string> = new Set();
  readonly #architecture: GuestArchitecture;
  readonly #found = new Map<string, Buffer>();
  #interpreter: string | undefined;

  constructor(architecture: GuestArchitecture) {
    this.#architecture = architecture;
  }

  /** Wants all that this program or library needs. */
  want(data: Uint8Array, what: string): void {
    const dynamic = readElfDynamic(data, what, this.#architecture);
    if (dynamic.interpreter !== undefined) this.#interpreter = dynamic.interpreter;
    const names = [...dynamic.needed, ...(dynamic.interpreter === undefined ? [] : [basename(dynamic.interpreter)])];
    for (const name of names) if (!this.#found.has(name)) this.missing.add(name);
  }

  /** Takes what is missing and here; also what that needs in turn. Whether anything was taken. */
  async take(files: PackageFiles): Promise<boolean> {
    const { libraryFolder } = this.#architecture;
    const folders = [`lib/${libraryFolder}`, `usr/lib/${libraryFolder}`, ...LOADER_FOLDERS];
    const paths = await files.list(folders);
    let taken = false;
    for (;;) {
      const path = paths.find((candidate) => this.missing.has(basename(candidate)));
      if (path === undefined) return taken;
      const name = basename(path);
      const data = await files.read(path, ...[...folders, ...COMMON_FOLDERS].map((folder) => `${folder}/${name}`));
      this.missing.delete(name);
      this.#found.set(name, data);
      this.want(data, name);
      taken = true;
    }
  }

  files(): LibraryFile[] {
    const interpreter = this.#interpreter ?? '';
    return [...this.#found].map(([name, data]) => ({
      path:
        name === basename(interpreter)
          ? interpreter.replace(/^\/+/, '')
          : `lib/${this.#architecture.libraryFolder}/${name}`,
      data,
    }));
  }
}
