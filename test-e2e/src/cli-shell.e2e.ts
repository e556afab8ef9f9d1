import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAIN } from './support/main-program.ts';
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

const WARMVM = `${process.execPath} --conditions=@warmvm/source --no-warnings ${MAIN}`;
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
  run.type('stty size; tty; sleep 600\r');
  await run.shows(/^40 100$/);
  await run.shows(/^\/dev\/pts\/\d+$/);
  run.type('\u0003');
  run.type('exit 9\r');
  const { exitCode } = await run.ended();
  expect(exitCode).toBe(9);
  expect(await saved('after')).toBe(await saved('before'));
  expect(await host.inventory()).toEqual([]);
});
