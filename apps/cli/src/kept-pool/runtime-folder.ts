import { lstatSync, mkdirSync, readdirSync, type Stats } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { ConfigError } from '../config/config-error.ts';

/** Name of a pool where nobody gave one; that of the pool engine. */
export const DEFAULT_POOL = 'default';

/** Longest path that a socket may have on every system. */
const MOST_PATH_BYTES = 103;
/** What a socket is called before it has its name. */
export const DRAFT = '01234567.b';
const NAME = /^[A-Za-z0-9_-]{1,40}$/;

/** Where this is looked up; replaced in tests. */
export interface RuntimePlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly userId: number;
}

/** This process. */
export function ownPlace(): RuntimePlace {
  return { environment: process.env, userId: process.getuid?.() ?? userInfo().uid };
}

/** Names the folder of sockets itself, for processes that would otherwise look in different ones. */
export const RUNTIME_VARIABLE = 'WARMVM_RUNTIME_DIR';

/**
 * The folder of the sockets of this user's pools: `WARMVM_RUNTIME_DIR`, else `warmvm` in the user's runtime folder, else `warmvm-UID` in that for temporary
 * files. Its parent must be the user's, or one in which nobody can take away what is the user's.
 * @throws ConfigError for a variable that is not an absolute path
 */
export function runtimeFolder({ environment, userId }: RuntimePlace = ownPlace()): string {
  const own = environment[RUNTIME_VARIABLE];
  if (own) {
    if (isAbsolute(own)) return own;
    throw new ConfigError(`${RUNTIME_VARIABLE} is ${JSON.stringify(own)}, expected an absolute path of a folder`);
  }
  const given = environment.XDG_RUNTIME_DIR;
  for (const parent of [given, `/run/user/${userId}`]) {
    // Under sudo the variable may name the folder of somebody else.
    if (parent && isAbsolute(parent) && isOwnFolder(parent, userId)) return join(parent, 'warmvm');
  }
  return join(tmpdir(), `warmvm-${userId}`);
}

/** Where the socket of a pool is. @throws ConfigError for a name that no pool can have, or where the path is too long */
export function socketPathOf(name: string, place: RuntimePlace = ownPlace()): string {
  if (!NAME.test(name)) {
    throw new ConfigError(`a pool cannot be called ${JSON.stringify(name)}; expected 1 to 40 letters, digits, - or _`);
  }
  return runtimePath(`${name}.sock`, place);
}

/** Where a socket of this name is, which has room for {@link DRAFT} too. @throws ConfigError where the path is too long */
export function runtimePath(file: string, place: RuntimePlace = ownPlace()): string {
  const folder = runtimeFolder(place);
  const path = join(folder, file);
  if (Math.max(Buffer.byteLength(path), Buffer.byteLength(join(folder, DRAFT))) <= MOST_PATH_BYTES) return path;
  throw new ConfigError(`${path} is too long for a socket; give a shorter ${RUNTIME_VARIABLE}, or a shorter name`);
}

/** Names of the pools that have a socket here, alive or not. */
export function poolNames(place: RuntimePlace = ownPlace()): readonly string[] {
  const folder = runtimeFolder(place);
  if (!isPrivateFolder(folder, place.userId)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sock'))
    .map((file) => file.slice(0, -'.sock'.length))
    .filter((name) => NAME.test(name))
    .sort();
}

/** Makes the folder. @throws ConfigError when it is not this user's alone */
export function makeRuntimeFolder(place: RuntimePlace = ownPlace()): string {
  const folder = runtimeFolder(place);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new ConfigError(`${folder} cannot be made: ${(cause as Error).message}`, { cause });
    }
  }
  requirePrivate(folder, place);
  return folder;
}

/** @throws ConfigError when others could have put sockets there */
export function requirePrivate(folder: string, { userId }: RuntimePlace = ownPlace()): void {
  if (isPrivateFolder(folder, userId)) return;
  throw new ConfigError(
    `${folder} is not a folder of this user alone (owner ${userId}, mode 700): who made it could take the place of the pool; ` +
      `remove it, or set ${RUNTIME_VARIABLE} to a folder of yours`,
  );
}

function isOwnFolder(path: string, userId: number): boolean {
  const stat = statOf(path);
  return stat?.isDirectory() === true && stat.uid === userId;
}

function isPrivateFolder(path: string, userId: number): boolean {
  const stat = statOf(path);
  return stat?.isDirectory() === true && stat.uid === userId && (stat.mode & 0o077) === 0;
}

/** Never through a symbolic link: whoever made that decides where it leads. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
