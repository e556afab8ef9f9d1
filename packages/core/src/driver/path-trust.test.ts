import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, type Stats, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pathDistrust, type TrustFacts } from './path-trust.ts';

const ME = 1000;
const NOBODY = 65534;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'warmvm-trust-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Seen {
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}

/** The real files, with owners and modes that a test gives them; those that it does not name belong to this user. */
function facts(changes: Readonly<Record<string, Seen>> = {}, users = '', groups = ''): TrustFacts {
  return {
    userId: ME,
    groupId: ME,
    readText: (path) => (path === '/etc/passwd' ? users : groups),
    lstat(path) {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      const isOurs = path.startsWith(folder);
      return Object.assign(Object.create(Object.getPrototypeOf(stat)) as Stats, stat, {
        uid: isOurs ? ME : 0,
        ...(path === tmpdir() ? { mode: stat.mode | 0o1777 } : {}),
        ...changes[path],
      });
    },
  };
}

function file(...parts: readonly string[]): string {
  const path = join(folder, ...parts);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  return path;
}

describe('a path is trusted', () => {
  test('if it and all folders above it belong to this user or root, also below a sticky folder', () => {
    expect(pathDistrust(file('a', 'b.ts'), facts())).toBeUndefined();
    expect(pathDistrust(file('a', 'b.ts'), facts({ [join(folder, 'a', 'b.ts')]: { uid: 0 } }))).toBeUndefined();
  });

  test('if it does not exist: there is nothing to run', () => {
    expect(pathDistrust(join(folder, 'none', 'x.ts'), facts())).toBeUndefined();
  });

  test('if a group with nobody but this user may write to it', () => {
    const path = file('a.ts');
    const change = { [path]: { mode: lstatSync(path).mode | 0o020, gid: ME } };
    const users = `root:x:0:0::/root:/bin/sh\nme:x:${ME}:${ME}::/home/me:/bin/sh\n`;
    expect(pathDistrust(path, facts(change, users, `me:x:${ME}:\n`))).toBeUndefined();
    expect(pathDistrust(path, facts(change, users, `me:x:${ME}:me\n`))).toBeUndefined();
    expect(pathDistrust(path, facts(change, users, `me:x:${ME}:me,you\n`))).toContain('group 1000 may write');
    expect(pathDistrust(path, facts(change, `${users}you:x:7:${ME}::/:/x\n`, `me:x:${ME}:\n`))).toContain('group 1000');
    expect(pathDistrust(path, facts(change, '', ''))).toContain('group 1000');
  });
});

describe('a path is not trusted', () => {
  test('if it belongs to somebody else', () => {
    const path = file('a.ts');
    expect(pathDistrust(path, facts({ [path]: { uid: NOBODY } }))).toBe(
      `${path} belongs to user ${NOBODY}, not to this user (${ME}) or root`,
    );
  });

  test('if somebody else owns a folder above it, or may write in it', () => {
    const path = file('a', 'b', 'c.ts');
    const above = join(folder, 'a');
    expect(pathDistrust(path, facts({ [above]: { uid: NOBODY } }))).toContain(`${above} belongs to user ${NOBODY}`);
    chmodSync(above, 0o777);
    expect(pathDistrust(path, facts())).toBe(`other users may write to ${above} (mode 777)`);
    chmodSync(above, 0o1777);
    expect(pathDistrust(path, facts())).toBeUndefined();
  });

  test('if others may write to the file itself', () => {
    const path = file('a.ts');
    chmodSync(path, 0o646);
    expect(pathDistrust(path, facts())).toBe(`other users may write to ${path} (mode 646)`);
  });

  test('if a symbolic link on the way, or the place that it leads to, is not trusted', () => {
    const target = file('there', 'a.ts');
    const link = join(folder, 'link');
    symlinkSync('there', link);
    const path = join(link, 'a.ts');
    expect(pathDistrust(path, facts())).toBeUndefined();
    expect(pathDistrust(path, facts({ [link]: { uid: NOBODY } }))).toContain(`${link} belongs to user`);
    expect(pathDistrust(path, facts({ [target]: { uid: NOBODY } }))).toContain(`${target} belongs to user`);
    symlinkSync('loop', join(folder, 'loop'));
    expect(pathDistrust(join(folder, 'loop'), facts())).toContain('too many symbolic links');
  });
});
