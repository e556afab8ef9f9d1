import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromSource, MAIN, runProgram } from './support/main-program.ts';
import { openQemuHost, type QemuHost } from './support/qemu-host.ts';
import { runOnTerminal } from './support/terminal.ts';

let host: QemuHost;
let folder: string;

beforeAll(async () => {
  host = await openQemuHost();
  folder = await mkdtemp(join(tmpdir(), 'warmvm-shell-'));
  const driver = { use: 'qemu', options: { stateDirectory: host.stateDirectory } };
  await writeFile(join(folder, 'warmvm.config.json'), JSON.stringify({ driver, pool: { name: 'shell' } }));
});

afterAll(async () => {
  await host?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

const WARMVM = fromSource(MAIN).join(' ');
const saved = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

test('a shell on a terminal: what is typed runs in the machine, its exit code is ours, and all is as before', async () => {
  const lines = [`cd ${folder}`, 'stty -g > before', `${WARMVM} shell`, 'code=$?', 'stty -g > after', 'exit $code'];
  await using run = runOnTerminal(lines.join('; '), 100);
  await run.shows(/^warmvm: machine warmvm-\S+; it is destroyed with its shell/);
  await run.shows(/^\/ # ?$/);
  run.type('echo $((6*7))\r');
  await run.shows(/^42$/);
  expect(await host.processesWith(host.stateDirectory)).not.toEqual([]);
  // A terminal of its own, as large as this one, on which a key interrupts.
  run.type('stty size; tty\r');
  await run.shows(/^40 100$/);
  await run.shows(/^\/dev\/pts\/\d+$/);
  // A shell forgets a key that comes between two commands: this program says when it is there to be interrupted.
  run.type(`sh -c 'trap "exit 7" INT; echo ready; while :; do sleep 1; done'; echo interrupted $?\r`);
  await run.shows(/^ready$/);
  run.type('\u0003');
  await run.shows(/interrupted 7$/);
  run.type('exit 9\r');
  const { exitCode } = await run.ended();
  expect(exitCode).toBe(9);
  expect(await saved('after')).toBe(await saved('before'));
  expect(await host.inventory()).toEqual([]);
});

test('a shell takes its machine from a kept pool that fits, and it is clean for the next', async () => {
  await using pool = runProgram(['pool', 'start', '--min-ready', '1', '--max', '1'], folder);
  await pool.prints('pool shell is ready');
  await using run = runOnTerminal(`cd ${folder}; ${WARMVM} shell`, 120);
  await run.shows(/^warmvm: machine warmvm-\S+ of pool shell of process \d+; it is cleaned when its shell ends/);
  await run.shows(/^\/ # ?$/);
  run.type('stty size; touch /tmp/mine && exit 3\r');
  await run.shows(/^40 120$/);
  expect((await run.ended()).exitCode).toBe(3);
  const program = (...words: readonly string[]) => runProgram(words, folder).ended;
  expect(await program('run', '--', 'ls', '/tmp/mine')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('/tmp/mine: No such file'),
  });
  expect((await program('pool', 'drain')).exitCode).toBe(0);
  expect((await pool.ended).exitCode).toBe(0);
  expect(await host.inventory()).toEqual([]);
});
