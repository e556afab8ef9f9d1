import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const module = fileURLToPath(new URL('./child.mjs', import.meta.url));

/** A process that runs `program` through the bootstrap's runner and ends like it. */
function parentOf(program: string) {
  const source = `
    import { endLike, runChild } from ${JSON.stringify(module)};
    endLike(await runChild(process.execPath, ['-e', ${JSON.stringify(program)}], { cwd: '.', env: process.env, capture: false }));
  `;
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function lines(stream: NodeJS.ReadableStream): Promise<string[]> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text.trim().split('\n');
}

const counting = `
  let count = 0;
  process.on('SIGINT', () => { count += 1; });
  process.on('SIGINT', () => { if (count === 1) setTimeout(() => { console.log('got ' + count); process.exit(9); }, 200); });
  setInterval(() => {}, 1000);
  console.log('ready');
`;

describe('a child of the bootstrap', () => {
  test('hands its exit code on', async () => {
    const parent = parentOf('process.exit(5)');
    expect(await once(parent, 'exit')).toEqual([5, null]);
  });

  test('hands the signal on that ended it', async () => {
    const parent = parentOf("process.kill(process.pid, 'SIGTERM')");
    expect(await once(parent, 'exit')).toEqual([null, 'SIGTERM']);
  });

  test('gets a signal once although it came twice, and is waited for while it cleans up', async () => {
    const parent = parentOf(counting);
    const output = lines(parent.stdout);
    await once(parent.stdout, 'data');
    parent.kill('SIGINT');
    parent.kill('SIGINT');
    expect(await once(parent, 'exit')).toEqual([9, null]);
    expect((await output).at(-1)).toBe('got 1');
  });
});
