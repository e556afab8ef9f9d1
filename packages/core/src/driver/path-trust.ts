import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';

/** The user whose trust is asked for, and the file system; replaced in tests. */
export interface TrustFacts {
  readonly userId: number;
  readonly groupId: number;
  lstat(path: string): Stats | undefined;
  readText(path: string): string;
}

/** More symbolic links than this on one path are a loop. */
const MAX_LINKS = 40;

/**
 * Says who could have put this file there, or could replace it, other than this user and root; undefined if nobody could, or if the path does not exist.
 * It looks at the path itself, at each folder above it, and at each symbolic link on the way. A folder that anybody may write in is accepted if
 * it is sticky, as `/tmp` is: there nobody can replace what belongs to this user or root. Always undefined on a system without user ids.
 */
export function pathDistrust(path: string, facts: TrustFacts | undefined = ownFacts()): string | undefined {
  if (facts === undefined) return undefined;
  const todo = partsOf(resolve(path));
  let at: string = sep;
  for (let links = 0; ; ) {
    const stat = facts.lstat(at);
    if (stat === undefined) return undefined;
    const problem = distrustOf(at, stat, facts);
    if (problem !== undefined) return problem;
    if (stat.isSymbolicLink()) {
      links += 1;
      if (links > MAX_LINKS) return `${at} is one of too many symbolic links`;
      todo.unshift(...partsOf(resolve(dirname(at), readlinkSync(at))));
      at = sep;
      continue;
    }
    const next = todo.shift();
    if (next === undefined) return undefined;
    at = join(at, next);
  }
}

function partsOf(path: string): string[] {
  return path.split(sep).filter(Boolean);
}

function distrustOf(path: string, stat: Stats, facts: TrustFacts): string | undefined {
  if (stat.uid !== facts.userId && stat.uid !== 0) {
    return `${path} belongs to user ${stat.uid}, not to this user (${facts.userId}) or root`;
  }
  if (stat.isSymbolicLink() || (stat.isDirectory() && (stat.mode & 0o1000) !== 0)) return undefined;
  const mode = `mode ${(stat.mode & 0o7777).toString(8)}`;
  if ((stat.mode & 0o002) !== 0) return `other users may write to ${path} (${mode})`;
  if ((stat.mode & 0o020) === 0 || stat.gid === 0 || isGroupOfOne(stat.gid, facts)) return undefined;
  return `other users of group ${stat.gid} may write to ${path} (${mode})`;
}

/** Many systems give each user a group, and let it write by default: a group with nobody else in it is the user. */
function isGroupOfOne(groupId: number, { userId, groupId: own, readText }: TrustFacts): boolean {
  if (groupId !== own) return false;
  try {
    const users = rows(readText('/etc/passwd'));
    const name = users.find(([, , id]) => id === String(userId))?.[0];
    const group = rows(readText('/etc/group')).find(([, , id]) => id === String(groupId));
    if (name === undefined || group === undefined) return false;
    const members = (group[3] ?? '').split(',').filter(Boolean);
    const others = users.filter(([, , id, gid]) => gid === String(groupId) && id !== String(userId));
    return others.length === 0 && members.every((member) => member === name);
  } catch {
    return false;
  }
}

function rows(text: string): readonly (readonly string[])[] {
  return text.split('\n').map((line) => line.split(':'));
}

function ownFacts(): TrustFacts | undefined {
  const userId = process.geteuid?.();
  const groupId = process.getegid?.();
  if (userId === undefined || groupId === undefined) return undefined;
  return {
    userId,
    groupId,
    lstat: (path) => lstatSync(path, { throwIfNoEntry: false }),
    readText: (path) => readFileSync(path, 'utf8'),
  };
}
