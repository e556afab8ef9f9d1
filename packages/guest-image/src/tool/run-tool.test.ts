import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { runTool, type ToolCall } from './run-tool.ts';

const node = (script: string, more: Partial<ToolCall> = {}): ToolCall => ({
  command: process.execPath,
  arguments: ['-e', script],
  whenMissing: 'Install it.',
  ...more,
});

describe('runTool', () => {
  test('gives exit code, output and complaint', async () => {
    const result = await runTool(node('process.stdout.write("out"); console.error("complaint"); process.exitCode = 3'));
    expect({ ...result, output: result.output.toString() }).toEqual({
      exitCode: 3,
      output: 'out',
      complaint: 'complaint',
    });
  });

  test('speaks English to the program', async () => {
    const result = await runTool(node('process.stdout.write(process.env.LC_ALL)'));
    expect(result.output.toString()).toBe('C');
  });

  test('passes arguments on as they are', async () => {
    const odd = ['$(id)', 'a b', ';', '*'];
    const call = node('process.stdout.write(JSON.stringify(process.argv.slice(1)))');
    const result = await runTool({ ...call, arguments: [...call.arguments, '--', ...odd] });
    expect(JSON.parse(result.output.toString())).toEqual(odd);
  });

  test('names a program that is absent and says what to do', async () => {
    const attempt = runTool({ command: 'warmvm-no-such-program', arguments: [], whenMissing: 'Install it.' });
    await expect(attempt).rejects.toMatchObject({
      code: 'WARMVM_NOT_SUPPORTED',
      message: 'The program warmvm-no-such-program is not there. Install it.',
      cause: expect.objectContaining({ code: 'ENOENT' }),
    });
  });

  test('names a program that cannot be started', async () => {
    const attempt = runTool({ command: '/', arguments: [], whenMissing: 'Look at it.' });
    await expect(attempt).rejects.toMatchObject({ message: 'The program / does not start. Look at it.' });
  });

  test('ends a program that writes too much', async () => {
    const call = node('setInterval(() => process.stdout.write("x".repeat(65536)), 1)', { maximumOutputBytes: 1000 });
    await expect(runTool(call)).rejects.toMatchObject({
      code: 'WARMVM_GOLDEN_INVALID',
      message: expect.stringContaining('more than 1000 bytes'),
    });
  });

  test('keeps only the end of a long complaint', async () => {
    const { complaint } = await runTool(node('console.error("x".repeat(100000) + "end")'));
    expect(complaint.length).toBeLessThanOrEqual(4096);
    expect(complaint.endsWith('end')).toBe(true);
  });

  test('ends the program and rejects with the reason when aborted, and leaves no listener', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const running = runTool(node('setInterval(() => {}, 1000)', { signal: controller.signal }));
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('starts nothing when aborted before', async () => {
    const reason = new Error('never');
    const attempt = runTool({ command: 'x', arguments: [], whenMissing: '', signal: AbortSignal.abort(reason) });
    await expect(attempt).rejects.toBe(reason);
  });
});
