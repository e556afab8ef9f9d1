import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(import.meta.resolve('../../apps/cli/src/main.ts'));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-input-'));
  await writeFile(join(folder, 'warmvm.config.json'), JSON.stringify({ driver: { use: 'fake' } }));
  await writeFile(join(folder, 'lines'), 'one\ntwo\nthree\n');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a shell's line in which `$W` is the command line of warmvm, on machines in memory. */
function shell(line: string): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const command = `set -f; W="$0 --conditions=@warmvm/source $1"; ${line}`;
  const child = spawn('/bin/sh', ['-c', command, process.execPath, MAIN], { cwd: folder, detached: true });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (bytes: Buffer) => {
      said[stream] += bytes.toString();
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => {
      // What the line left running holds its streams: it ends with its group.
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {}
    });
    child.on('close', (exitCode) => resolve({ exitCode, ...said }));
  });
}

describe('warmvm run and its standard input', () => {
  test.each([
    ['a pipe that never ends', '{ sleep 1000 & } | $W run -- echo hi', 'hi\n', 0],
    ['a file, from its present offset', '{ read -r first; $W run -- cat; } < lines', 'two\nthree\n', 0],
    ['a file that was read to its end', '{ cat > /dev/null; $W run -- cat; } < lines', '', 0],
    ['a pipe', 'printf x | $W run -- cat', 'x', 0],
    ['nothing', '$W run -- cat < /dev/null', '', 0],
    ['a descriptor that is closed', '$W run -- cat <&-', '', 0],
    ['a device without end', '$W run -- echo hi < /dev/zero', 'hi\n', 0],
    ['a folder', '$W run -- cat < .', '', 125],
  ])('takes %s', async (_what, line, stdout, exitCode) => {
    expect(await shell(`${line}; exit $?`)).toMatchObject({ stdout, exitCode });
  });
});
