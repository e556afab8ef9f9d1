import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KitReport } from '@warmvm/driver-testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createProgram } from '../program.ts';
import { runKitCommand } from './index.ts';
import type { KitOptions } from './options.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-kit-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function run(options: Partial<KitOptions>) {
  const written: string[] = [];
  const complaints: string[] = [];
  const file = join(folder, 'report.json');
  const exitCode = await runKitCommand(
    { driver: 'fake', options: {}, lanes: 1, timeFactor: 1, report: file, ...options },
    { write: (text) => void written.push(text), writeError: (text) => void complaints.push(text) },
    FIXTURES,
  );
  const report = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as KitReport,
    () => undefined,
  );
  return { exitCode, written: written.join(''), complaints: complaints.join(''), report };
}

describe('warmvm kit', () => {
  test('prints every case as it ends, says why one was not run, and writes the report', async () => {
    const { exitCode, written, report } = await run({ only: ['RESET-1', 'RESET-12'] });
    expect(exitCode).toBe(0);
    expect(written).toMatch(/^ok {6}RESET-1 +leaves nothing in memory \(.*s\)$/m);
    expect(written).toMatch(/^- {7}RESET-12 .*: not run, the manifest does not say: no reset$/m);
    expect(written).toContain('1 passed, 0 failed, 1 not run');
    expect(report).toMatchObject({ schema: 1, driver: 'fake', host: { acceleration: 'none' }, leftBehind: [] });
    expect(report?.results.map(({ id }) => id)).toEqual(['RESET-1', 'RESET-12']);
  });

  test('shares the cases among several subjects', async () => {
    const { exitCode, report } = await run({ only: ['MANIFEST', 'LIFE', 'DISPOSE'], lanes: 3 });
    expect(exitCode).toBe(0);
    expect(report?.results.map(({ id }) => id).slice(0, 3)).toEqual(['MANIFEST-1', 'MANIFEST-2', 'MANIFEST-3']);
  });

  test('takes a subject from a file, hands it options, and closes it; a failure is exit code 1 and told', async () => {
    const { exitCode, written, report } = await run({
      driver: './subject.mjs',
      options: { flavour: 'mint' },
      only: ['MANIFEST-1', 'MANIFEST-5'],
    });
    expect(exitCode).toBe(1);
    expect(report?.driver).toBe('third mint');
    expect(report).not.toHaveProperty('host');
    expect(written).toMatch(/^ok {6}MANIFEST-1 /m);
    expect(written).toMatch(/^FAILED {2}MANIFEST-5 .*\n {10}Error: no host$/m);
    expect(globalThis).toHaveProperty('kitFixtureDisposed', true);
  });

  test.each([
    [{ driver: './missing.mjs' }, /the file "\.\/missing\.mjs" cannot be loaded from .*: Cannot find module/],
    [{ driver: '@nobody/nothing' }, /the package "@nobody\/nothing" cannot be loaded/],
    [{ options: { reset: 'x' } }, /nothing was run: there is no host to try fake on: there is no option "reset"/],
    [{ driver: 'libvirt', options: { reset: 'x' } }, /option reset must be one of in-place, revert, got "x"/],
    [{ only: ['NOPE'] }, /only must name cases/],
  ] satisfies [Partial<KitOptions>, RegExp][])('runs nothing for %j, and says why', async (options, why) => {
    const { exitCode, complaints, report } = await run(options);
    expect(exitCode).toBe(1);
    expect(complaints).toMatch(why);
    expect(report).toBeUndefined();
  });

  test('fails before it makes anything when the report cannot be written', async () => {
    const { exitCode, complaints, written } = await run({ report: join(folder, 'missing', 'report.json') });
    expect(exitCode).toBe(1);
    expect(complaints).toMatch(/--report .* cannot be written/);
    expect(written).toBe('');
  });

  test.each([
    ['--lanes', '0'],
    ['--time-factor', '0'],
    ['--time-factor', 'x'],
    ['--lanes', 'x'],
    ['--option', 'reset'],
  ])('refuses %s %s before anything else', async (...words) => {
    const quiet = (): void => {};
    const program = createProgram({ write: quiet, writeError: quiet });
    const parsing = program.parseAsync(['kit', '--driver', 'fake', ...words], { from: 'user' });
    await expect(parsing).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  });
});
