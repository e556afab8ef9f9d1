import { describe, expect, test } from 'vitest';
import {
  currentOwnerProcess,
  judgeOwner,
  type ProcessTable,
  processStartTime,
  systemProcessTable,
} from './owner-process.ts';

const bootFile = '/proc/sys/kernel/random/boot_id';

/** A line of `/proc/<pid>/stat` whose command is as nasty as a command may be. */
function stat(pid: number, startTime: number, state = 'S'): string {
  const between = Array.from({ length: 18 }, (_, index) => index).join(' ');
  return `${pid} (a ) (b) ${state} ${between} ${startTime} 0 0\n`;
}

function table(changes: {
  readonly pid?: number;
  readonly boot?: string;
  readonly namespace?: string;
  readonly stats?: Readonly<Record<number, string>>;
  readonly alive?: readonly number[];
}): ProcessTable {
  const { pid = 100, boot = 'boot-a', namespace = 'pid:[4026531836]', stats = { 100: stat(100, 5_000) } } = changes;
  const files: Record<string, string> = { [bootFile]: `${boot}\n` };
  for (const [owner, text] of Object.entries(stats)) files[`/proc/${owner}/stat`] = text;
  return {
    pid,
    readText: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: ${path}`);
      return text;
    },
    readLink: () => {
      if (namespace === '') throw new Error('ENOENT');
      return namespace;
    },
    exists: (owner) => changes.alive?.includes(owner) ?? Object.hasOwn(stats, owner),
    fallbackStartTime: '1700000000000',
    hostname: 'alpha',
  };
}

const here = currentOwnerProcess(table({}));

describe('currentOwnerProcess', () => {
  test('names boot, process-id namespace, process and its start', () => {
    expect(here).toEqual({ bootId: 'boot-a-4026531836', pid: 100, startTime: '5000' });
  });

  test.each([
    ['there is no boot id', table({ boot: '' })],
    ['the namespace cannot be read', table({ namespace: '' })],
    ['the start time cannot be read', table({ stats: {} })],
    ['the start time is not a number', table({ stats: { 100: '100 (x) S 1 2' } })],
  ])('falls back to the host name when %s', (_, broken) => {
    expect(currentOwnerProcess(broken)).toEqual({ bootId: 'host-alpha', pid: 100, startTime: '1700000000000' });
  });

  test('gives the same name for this very process each time, and finds it alive', () => {
    const self = currentOwnerProcess();
    expect(currentOwnerProcess()).toEqual(self);
    expect(self.pid).toBe(process.pid);
    expect(judgeOwner(self)).toBe('alive');
  });
});

describe('judgeOwner', () => {
  test('finds this process alive', () => {
    expect(judgeOwner(here, table({}))).toBe('alive');
  });

  test('finds an earlier process with the id of this one dead', () => {
    expect(judgeOwner({ ...here, startTime: '4999' }, table({}))).toBe('dead');
  });

  test('finds a process that is gone dead', () => {
    expect(judgeOwner({ ...here, pid: 200 }, table({}))).toBe('dead');
  });

  test('finds another process alive when its start time is the same', () => {
    const stats = { 100: stat(100, 5_000), 200: stat(200, 7_000) };
    expect(judgeOwner({ ...here, pid: 200, startTime: '7000' }, table({ stats }))).toBe('alive');
  });

  test('finds the owner dead when its id was given to another process', () => {
    const stats = { 100: stat(100, 5_000), 200: stat(200, 7_000) };
    expect(judgeOwner({ ...here, pid: 200, startTime: '6000' }, table({ stats }))).toBe('dead');
  });

  test.each(['Z', 'X'])('takes a process in state %s for dead: it owns nothing any more', (state) => {
    const stats = { 100: stat(100, 5_000), 200: stat(200, 7_000, state) };
    expect(judgeOwner({ ...here, pid: 200, startTime: '7000' }, table({ stats }))).toBe('dead');
  });

  test('does not judge a process whose start time cannot be read', () => {
    expect(judgeOwner({ ...here, pid: 200 }, table({ alive: [100, 200] }))).toBe('unknown');
  });

  test('does not judge the owner of another boot, another container or another computer', () => {
    expect(judgeOwner(here, table({ boot: 'boot-b' }))).toBe('unknown');
    expect(judgeOwner(here, table({ namespace: 'pid:[4026532999]' }))).toBe('unknown');
    expect(judgeOwner({ ...here, bootId: 'host-beta' }, table({}))).toBe('unknown');
  });

  test.each([0, -1, 1.5, Number.NaN])('does not judge an owner whose process id is %d', (pid) => {
    expect(judgeOwner({ ...here, pid }, table({}))).toBe('unknown');
  });

  test('only looks whether the process exists where start times cannot be told', () => {
    const poor = table({ namespace: '', alive: [100, 200] });
    const self = currentOwnerProcess(poor);
    expect(judgeOwner({ ...self, pid: 200 }, poor)).toBe('alive');
    expect(judgeOwner({ ...self, pid: 300 }, poor)).toBe('dead');
  });
});

describe('systemProcessTable', () => {
  test('knows that this process exists and that none has an id beyond the greatest', () => {
    expect(systemProcessTable.exists(process.pid)).toBe(true);
    expect(systemProcessTable.exists(2 ** 30)).toBe(false);
  });
});

describe('processStartTime', () => {
  test('tells of processes that run, not of those that only wait to be buried', () => {
    const stats = { 100: stat(100, 5_000), 200: stat(200, 6_000), 300: stat(300, 7_000, 'Z') };
    expect([200, 300, 400].map((pid) => processStartTime(pid, table({ stats })))).toEqual([
      '6000',
      undefined,
      undefined,
    ]);
  });
});
