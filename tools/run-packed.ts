// The command line as a user has it: `node tools/run-packed.ts [--oldest] bench acquire --driver qemu` builds and packs every package, installs
// the tarballs in an empty project outside this repository, and runs `warmvm` there with these words; with --oldest on the oldest Node.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packedProject } from './lib/packed-project.ts';

async function runPacked(words: readonly string[], isOldest: boolean, signal: AbortSignal): Promise<number> {
  const project = await mkdtemp(join(tmpdir(), 'warmvm-packed-'));
  try {
    const [node, main] = await packedProject(project, isOldest, signal);
    const child = spawn(node, [main, ...words], { cwd: project, stdio: 'inherit' });
    // Ctrl-C on a terminal reaches it too: it cleans up and ends by itself.
    signal.addEventListener('abort', () => child.kill('SIGTERM'));
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    return exitCode ?? 1;
  } finally {
    await rm(project, { recursive: true, force: true });
  }
}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort());
const [first, ...rest] = process.argv.slice(2);
const isOldest = first === '--oldest';
process.exitCode = await runPacked(isOldest ? rest : process.argv.slice(2), isOldest, interruption.signal);
