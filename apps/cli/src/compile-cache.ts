import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Lets Node keep what it compiled of this program in the cache folder of this user, which saves compiling it again at every start. Node's own place for that is the
 * folder for temporary files, where others could put code of theirs. Where there is no folder of this user alone, nothing is kept.
 */
export function keepCompiled(environment: Readonly<Record<string, string | undefined>> = process.env): void {
  if (environment.NODE_COMPILE_CACHE) return;
  try {
    const { XDG_CACHE_HOME: given } = environment;
    const folder = join(given && isAbsolute(given) ? given : join(homedir(), '.cache'), 'warmvm');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(folder);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return;
    enableCompileCache(join(folder, 'compiled'));
  } catch {
    // A start that takes longer is no reason to say anything.
  }
}
