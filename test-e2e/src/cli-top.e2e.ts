import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAIN, type ProgramRun, runProgram } from './support/main-program.ts';
import { runOnTerminal, type TerminalRun } from './support/terminal.ts';

let folder: string;
let pool: ProgramRun;

const warmvm = (...words: string[]): ProgramRun => runProgram(words, folder, { XDG_RUNTIME_DIR: folder });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-top-'));
  pool = warmvm('pool', 'start', '--driver', 'fake', '--min-ready', '1', '--max', '2', '--json');
  await pool.prints('"ready"');
});

afterEach(async () => {
  await pool?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const saved = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

/** `warmvm top` on a terminal whose settings are noted before and after; the file `narrow` makes the terminal so. */
function top(columns: number, kind = 'xterm-256color'): TerminalRun {
  return runOnTerminal(
    [
      `cd ${folder}`,
      'stty -g > before',
      '(while [ ! -e narrow ]; do sleep 0.1; done; stty cols 40 rows 8 < /dev/tty) & narrowing=$!',
      `TERM=${kind} XDG_RUNTIME_DIR=${folder} ${process.execPath} --conditions=@warmvm/source --no-warnings ${MAIN} top`,
      'echo "code $?"',
      'kill $narrowing 2>/dev/null',
      'stty -g > after',
    ].join('; '),
    columns,
  );
}

async function endsLike(run: TerminalRun, ...expected: (RegExp | string)[]): Promise<void> {
  const { lines } = await run.ended();
  expect(lines).toEqual(expected.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line))));
  expect(await saved('after')).toBe(await saved('before'));
}

describe('warmvm top on a terminal', () => {
  test('shows who has a machine, fits a window that shrinks, and q leaves the terminal as it was', async () => {
    await using run = top(100);
    await run.shows(/^pool default on fake, image tiny; process \d+, up \d+ s$/);
    await run.shows(/^ {2}\d+ +ready /);
    await using lease = warmvm('run', '--driver', 'fake', '--', 'sleep', '600');
    await run.shows(/^ {2}\d+ +leased +\d+ s +process \d+ /);
    await run.shows(/^ {2}\d\d:\d\d:\d\d {2}slot \d+ lent, at once$/);
    await writeFile(join(folder, 'narrow'), '');
    await run.shows(/^.{39}…$/);
    lease.signal('SIGINT');
    run.type('q');
    await endsLike(run, 'code 0');
  });

  test('is left with Ctrl-C too', async () => {
    await using run = top(80);
    await run.shows(/^q or Ctrl-C: leave$/);
    run.type('\u0003');
    await endsLike(run, 'code 0');
  });

  test('ends with the pool, and says how that ended', async () => {
    await using run = top(80);
    await run.shows(/^ {2}\d+ +ready /);
    pool.signal('SIGTERM');
    await endsLike(run, /^pool default has ended after .* s: every lease came back, nothing is left$/, 'code 0');
  });

  test('that cannot be drawn on says the state once, and then events, without moving the cursor', async () => {
    await using run = top(200, 'dumb');
    await run.shows(/^ {2}\d+ +ready /);
    await using lease = warmvm('run', '--driver', 'fake', '--', 'true');
    await run.shows(/^ {2}\d\d:\d\d:\d\d {2}slot \d+ lent, at once$/);
    await lease.ended;
    pool.signal('SIGTERM');
    const { lines } = await run.ended();
    expect(lines.filter((line) => line.startsWith('pool default on fake'))).toHaveLength(1);
    expect(lines.slice(-2)).toEqual([expect.stringMatching(/^pool default has ended/), 'code 0']);
  });

  test('says so when the process of the pool is killed', async () => {
    await using run = top(200);
    await run.shows(/^ {2}\d+ +ready /);
    pool.kill('SIGKILL');
    await endsLike(run, /^error: WARMVM_POOL_CLOSED: /, /^ {2}to do: /, 'code 1');
  });
});

test('warmvm top without a terminal writes a line for each change, and one for the end', async () => {
  await using run = warmvm('top');
  await run.prints('"type":"update"');
  await using lease = warmvm('run', '--driver', 'fake', '--', 'true');
  expect(await lease.ended).toMatchObject({ exitCode: 0 });
  await using drain = warmvm('pool', 'drain');
  await drain.ended;
  const { exitCode, stdout, stderr } = await run.ended;
  expect([exitCode, stderr]).toEqual([0, '']);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.slice(0, -1).every(({ type, schema }) => type === 'update' && schema === 1)).toBe(true);
  expect(lines.at(-1)).toMatchObject({ type: 'ended', schema: 1, pool: 'default', revoked: 0, undestroyed: 0 });
  const events = lines.flatMap((line) => line.events);
  expect(events).toContainEqual(expect.objectContaining({ type: 'acquire-settled', outcome: 'warm' }));
  expect(events.at(-1).type).toBe('closed');
});

test('warmvm top --once says it once', async () => {
  await using run = warmvm('top', '--once', '--json');
  const { exitCode, stdout } = await run.ended;
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ type: 'update', slots: [{ state: 'ready' }], events: [] });
});

describe('a kept pool that is told to end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('with %s ends well when every machine is back', async (signal) => {
    pool.signal(signal);
    const { exitCode, stdout } = await pool.ended;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ type: 'ended', revoked: 0 });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('with %s fails when a machine has to be taken back', async (signal) => {
    await using impatient = warmvm('pool', 'start', '--name', 'b', '--driver', 'fake', '--grace', '1ms', '--json');
    await impatient.prints('"ready"');
    await using view = warmvm('top', '--pool', 'b');
    await using _lease = warmvm('run', '--driver', 'fake', '--pool', 'b', '--', 'sleep', '600');
    await view.prints('"state":"leased"');
    impatient.signal(signal);
    const { exitCode, stdout } = await impatient.ended;
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ type: 'ended', revoked: 1 });
  });
});
