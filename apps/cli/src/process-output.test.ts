import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-output-'));
});
afterEach(() => rm(folder, { recursive: true }));

function warmvm(
  words: readonly string[],
  stdout: 'pipe' | number = 'pipe',
): ChildProcess & { readonly stderr: Readable } {
  const flags = ['--conditions=@warmvm/source', '--no-warnings', MAIN, ...words];
  const env = { ...process.env, XDG_RUNTIME_DIR: folder };
  return spawn(process.execPath, flags, { cwd: folder, env, stdio: ['ignore', stdout, 'pipe'] }) as never;
}

test('a command whose reader has gone ends as it would, without a word', async () => {
  const help = warmvm(['--help']);
  help.stdout?.destroy();
  const [exit, complaints] = await Promise.all([once(help, 'exit'), text(help.stderr)]);
  expect([exit[0], complaints]).toEqual([141, '']);
});

test('a pool whose reader has gone after the first line is kept, drained and taken apart all the same', async () => {
  const pool = warmvm(['pool', 'start', '--driver', 'fake', '--json']);
  await once(pool.stdout as Readable, 'data');
  pool.stdout?.destroy();
  const drain = warmvm(['pool', 'drain']);
  const [drained, exit, complaints] = await Promise.all([once(drain, 'exit'), once(pool, 'exit'), text(pool.stderr)]);
  expect([drained[0], exit[0], complaints.includes('Error')]).toEqual([0, 141, false]);
  expect(await readdir(join(folder, 'warmvm'))).toEqual([]);
});

test.runIf(existsSync('/dev/full'))('output that finds no room is told of, and is a failure', async () => {
  await using full = await open('/dev/full', 'w');
  const help = warmvm(['--help'], full.fd);
  const [exit, complaints] = await Promise.all([once(help, 'exit'), text(help.stderr)]);
  expect(exit[0]).toBe(1);
  expect(complaints).toMatch(/^error: not all of the output could be written: ENOSPC/);
});
