import { describe, expect, test } from 'vitest';
import { systemCommandRunner } from './command-runner.ts';

const node = process.execPath;

describe('running a command', () => {
  test('gives its exit code and both its outputs', async () => {
    const program = "console.log('out'); console.error('err'); process.exit(3)";
    const { exitCode, output } = await systemCommandRunner.run([node, '-e', program]);
    expect(exitCode).toBe(3);
    expect(output).toContain('out');
    expect(output).toContain('err');
  });

  test('a program that does not exist is exit code 127', async () => {
    expect((await systemCommandRunner.run(['/nowhere/program'])).exitCode).toBe(127);
  });

  test('arguments reach it as they are, and variables are added', async () => {
    const program = 'console.log(process.argv[1], process.env.ADDED)';
    const { output } = await systemCommandRunner.run([node, '-e', program, '$(id); "x"'], {
      environment: { ADDED: 'yes' },
    });
    expect(output).toBe('$(id); "x" yes\n');
  });

  test('only the end of a long output is kept, and every line is told', async () => {
    const lines: string[] = [];
    const program = "for (let i = 0; i < 100; i += 1) console.log('line ' + i)";
    const { output } = await systemCommandRunner.run([node, '-e', program], {
      maxOutputBytes: 8,
      onLine: (line) => lines.push(line),
    });
    expect(output).toBe('line 99\n');
    expect(lines).toHaveLength(100);
  });

  test('an abort ends it and rejects with the reason itself', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const program = "console.log('up'); setInterval(() => {}, 1000)";
    const running = systemCommandRunner.run([node, '-e', program], {
      signal: controller.signal,
      onLine: () => controller.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
  });
});

describe('starting a process', () => {
  test('it runs in a session of its own until it is killed', async () => {
    const process = await systemCommandRunner.start([node, '-e', 'setInterval(() => {}, 1000)']);
    process.kill('SIGTERM');
    expect((await process.ended).exitCode).toBe(143);
  });

  test('a program that does not exist rejects', async () => {
    await expect(systemCommandRunner.start(['/nowhere/program'])).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
