import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { constants, Script } from 'node:vm';
import { pathDistrust, type TrustFacts } from '@warmvm/core/driver';

/**
 * The module that somebody in `folder` means: a path that begins with `.` or `/`, or a package that is installed there.
 * It runs as this user, so nobody but this user and root may be able to write it.
 * @throws Error that names the module and says what went wrong
 */
export async function loadModule(specifier: string, folder: string, trust?: TrustFacts): Promise<unknown> {
  const isPath = specifier.startsWith('.') || isAbsolute(specifier);
  try {
    const place = isPath ? resolve(folder, specifier) : packageFolder(specifier, folder);
    const problem = place === undefined ? undefined : pathDistrust(place, trust);
    if (problem !== undefined) throw new Error(`it would run as this user, and ${problem}`);
    if (isPath) return await import(pathToFileURL(resolve(folder, specifier)).href);
    return await importFrom(folder, specifier);
  } catch (cause) {
    const what = isPath ? 'the file' : 'the package';
    const why = cause instanceof Error ? cause.message : String(cause);
    const isFileToo = !isPath && existsSync(resolve(folder, specifier));
    const hint = isFileToo ? `; for the file of that name, write ${JSON.stringify(`./${specifier}`)}` : '';
    throw new Error(`${what} ${JSON.stringify(specifier)} cannot be loaded from ${folder}: ${why}${hint}`, { cause });
  }
}

/** The folder that Node takes a package from, for a module in `folder`. */
function packageFolder(specifier: string, folder: string): string | undefined {
  const [name] = /^(?:@[^/]+\/)?[^/]+/.exec(specifier) ?? [specifier];
  for (let at = resolve(folder); ; at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    if (existsSync(place)) return place;
    if (dirname(at) === at) return undefined;
  }
}

/** An import as a module of that folder would do it: packages of the user are not those of this program. */
function importFrom(folder: string, specifier: string): Promise<unknown> {
  const script = new Script(`import(${JSON.stringify(specifier)})`, {
    filename: join(folder, 'import.js'),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return script.runInThisContext() as Promise<unknown>;
}
