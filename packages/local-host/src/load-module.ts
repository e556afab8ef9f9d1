import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { constants, Script } from 'node:vm';

/**
 * The module that somebody in `folder` means: a path that begins with `.` or `/`, or a package that is installed there.
 * @throws Error that names the module and says what went wrong
 */
export async function loadModule(specifier: string, folder: string): Promise<unknown> {
  const isPath = specifier.startsWith('.') || isAbsolute(specifier);
  try {
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

/** An import as a module of that folder would do it: packages of the user are not those of this program. */
function importFrom(folder: string, specifier: string): Promise<unknown> {
  const script = new Script(`import(${JSON.stringify(specifier)})`, {
    filename: join(folder, 'import.js'),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return script.runInThisContext() as Promise<unknown>;
}
