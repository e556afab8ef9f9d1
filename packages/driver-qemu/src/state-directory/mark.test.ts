import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineMark } from '../fixtures/machine-mark.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { listMarks, machineFolder, readMark, removeMachineFiles, writeMark } from './mark.ts';

describe('a mark', () => {
  test('is read back as it was written, in a private folder', async () => {
    await using machines = await temporaryFolder();
    const mark = machineMark('a-1', {
      digest: 'sha256:00',
      process: { pid: 7, startTime: '9' },
      cgroup: '/c',
      files: ['/f'],
    });
    const folder = await writeMark(machines.path, mark);
    expect(await readMark(machines.path, 'a-1')).toEqual(mark);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'mark.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['mark.json']);
  });

  test('is listed with all others, and nothing else is', async () => {
    await using machines = await temporaryFolder();
    await writeMark(machines.path, machineMark('a'));
    await writeMark(machines.path, machineMark('b', { kind: 'golden' }));
    await mkdir(join(machines.path, 'foreign'));
    await mkdir(join(machines.path, 'broken'));
    await writeFile(join(machines.path, 'broken', 'mark.json'), '{');
    await mkdir(join(machines.path, 'moved'));
    await writeFile(join(machines.path, 'moved', 'mark.json'), JSON.stringify(machineMark('a')));
    await writeFile(join(machines.path, 'file'), '');
    expect((await listMarks(machines.path)).map(({ id }) => id).sort()).toEqual(['a', 'b']);
    expect(await listMarks(join(machines.path, 'absent'))).toEqual([]);
  });

  test('is not followed where it leads out of the folder, nor read when it is huge', async () => {
    await using machines = await temporaryFolder();
    await mkdir(join(machines.path, 'link'));
    await writeFile(join(machines.path, 'elsewhere'), JSON.stringify(machineMark('link')));
    await symlink(join(machines.path, 'elsewhere'), join(machines.path, 'link', 'mark.json'));
    await writeMark(machines.path, machineMark('huge', { digest: 'x'.repeat(70_000) }));
    expect(await listMarks(machines.path)).toEqual([]);
  });

  test('of any content is either whole or none', async () => {
    await using machines = await temporaryFolder();
    const folder = await writeMark(machines.path, machineMark('any'));
    const whole = machineMark('any');
    const part = fc.record(
      {
        owner: fc.oneof(fc.constant(whole.owner), fc.anything()),
        host: fc.anything(),
        generation: fc.anything(),
        files: fc.anything(),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(part, async (changes) => {
        await writeFile(join(folder, 'mark.json'), JSON.stringify({ ...whole, ...changes }) ?? '');
        const mark = await readMark(machines.path, 'any');
        if (mark !== undefined) expect(typeof mark.owner.process.pid).toBe('number');
      }),
      { numRuns: 50 },
    );
  });

  test('goes last, with all that belongs to it', async () => {
    await using machines = await temporaryFolder();
    const file = join(machines.path, 'memory');
    const mark = machineMark('a', { files: [file, join(machines.path, 'never-made')] });
    const folder = await writeMark(machines.path, mark);
    await writeFile(file, '');
    await mkdir(join(folder, 'deep'));
    await removeMachineFiles(machines.path, mark);
    expect(await readdir(machines.path)).toEqual([]);
    await removeMachineFiles(machines.path, mark);
  });

  test.each(['..', '.', 'a/b', '', '-x', 'x'.repeat(200)])('never belongs to a machine named %j', (id) => {
    expect(() => machineFolder('/machines', id)).toThrow(RangeError);
  });
});
