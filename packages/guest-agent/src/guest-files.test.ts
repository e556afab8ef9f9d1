import { describe, expect, test } from 'vitest';
import { agentBench, text, turns } from './fixtures/agent-bench.ts';

const SILENT = undefined;

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );
}

function reply(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify({ return: value })}\n`);
}

describe('readFile', () => {
  test('puts a file together from chunks', async () => {
    for (const length of [0, 1, 9, 10, 11, 25]) {
      await using bench = agentBench({ chunkBytes: 10 });
      const content = Buffer.alloc(length, 'abc');
      bench.memory.files.set('/file', content);
      expect(text(await bench.agent.readFile('/file'))).toBe(content.toString());
      expect(bench.memory.openHandles).toBe(0);
    }
  });

  test('takes three answers for a file that fits in one chunk', async () => {
    await using bench = agentBench();
    bench.memory.files.set('/file', Buffer.from('short'));
    await bench.agent.ping();
    bench.memory.received.length = 0;
    await bench.agent.readFile('/file');
    expect(bench.memory.received).toEqual(['guest-file-open', 'guest-file-read', 'guest-file-close']);
  });

  test('refuses a file over the bound, and closes it', async () => {
    await using bench = agentBench({ chunkBytes: 4 });
    bench.memory.files.set('/file', Buffer.alloc(10));
    expect(await bench.agent.readFile('/file', { maxBytes: 10 })).toHaveLength(10);
    await expect(bench.agent.readFile('/file', { maxBytes: 9 })).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { path: '/file', maxBytes: 9 },
    });
    expect(bench.memory.openHandles).toBe(0);
  });

  test('says what the agent says of a file that is not there', async () => {
    await using bench = agentBench();
    await expect(bench.agent.readFile('/none')).rejects.toMatchObject({
      code: 'WARMVM_GUEST_EXEC_FAILED',
      details: { command: 'guest-file-open', description: expect.stringContaining('No such file') },
    });
  });

  test.each([
    { count: 3, 'buf-b64': 'eA==', eof: true },
    { count: 1, 'buf-b64': 'eHg=', eof: true },
    { count: 1, 'buf-b64': '!', eof: true },
    { count: 0, 'buf-b64': '', eof: false },
    { count: 99, 'buf-b64': 'eA==', eof: false },
    { count: 1, 'buf-b64': 'eA==' },
  ])('calls the chunk %j malformed, and closes the file', async (chunk) => {
    await using bench = agentBench({
      chunkBytes: 10,
      onReply: ({ execute }, bytes) => (execute === 'guest-file-read' ? reply(chunk) : bytes),
    });
    bench.memory.files.set('/file', Buffer.from('x'));
    await expect(bench.agent.readFile('/file')).rejects.toMatchObject({ code: 'WARMVM_HOST_PROTOCOL' });
    expect(bench.memory.openHandles).toBe(0);
  });

  test('closes the file when the agent falls silent for a while', async () => {
    await using bench = agentBench({
      onReply: ({ execute }, bytes) => (execute === 'guest-file-read' ? SILENT : bytes),
    });
    bench.memory.files.set('/file', Buffer.from('x'));
    await expect(bench.drive(bench.agent.readFile('/file'))).rejects.toMatchObject({
      code: 'WARMVM_GUEST_UNRESPONSIVE',
    });
    expect(bench.memory.openHandles).toBe(0);
  });

  test('keeps its own failure when the close fails too, after the clean-up time', async () => {
    await using bench = agentBench({
      onReply: ({ execute }, bytes) => (execute === 'guest-file-open' || execute.includes('sync') ? bytes : SILENT),
    });
    bench.memory.files.set('/file', Buffer.from('x'));
    const call = failure(bench.agent.readFile('/file'));
    expect(await bench.measure(call)).toBe(7000);
    expect(await call).toMatchObject({ code: 'WARMVM_GUEST_UNRESPONSIVE', details: { timeoutMs: 5000 } });
  });

  test('refuses a bad path or bound', async () => {
    await using bench = agentBench();
    await expect(bench.agent.readFile('')).rejects.toThrow(TypeError);
    await expect(bench.agent.readFile('/a\0b')).rejects.toThrow(TypeError);
    await expect(bench.agent.readFile('/file', { maxBytes: -1 })).rejects.toThrow(RangeError);
  });
});

describe('an aborted file call', () => {
  test.each(['guest-file-open', 'guest-file-read', 'guest-file-write', 'guest-file-flush'])(
    'at %s rejects with the reason and leaves no handle open',
    async (stage) => {
      const controller = new AbortController();
      const reason = new Error('enough');
      await using bench = agentBench({
        chunkBytes: 4,
        onReply({ execute }, bytes) {
          if (execute === stage) controller.abort(reason);
          return bytes;
        },
      });
      bench.memory.files.set('/file', Buffer.alloc(10));
      const { signal } = controller;
      const call = stage.endsWith('read')
        ? bench.agent.readFile('/file', { signal })
        : bench.agent.writeFile('/file', 'content', { signal });
      expect(await bench.drive(failure(call))).toBe(reason);
      expect(bench.memory.received).toContain('guest-file-close');
      expect(bench.memory.openHandles).toBe(0);
      expect(bench.clock.pendingTimers).toBe(0);
    },
  );

  test('opens nothing when the abort came before', async () => {
    await using bench = agentBench();
    const call = bench.agent.writeFile('/file', 'x', { signal: AbortSignal.abort('no') });
    await expect(call).rejects.toBe('no');
    expect(bench.memory.received).toEqual([]);
  });

  test('closes a file that the agent says only late to have opened', async () => {
    let answer: () => void = () => {};
    await using bench = agentBench({
      onReply: ({ execute }, bytes) =>
        execute === 'guest-file-open'
          ? new Promise((resolve) => {
              answer = () => resolve(bytes);
            })
          : bytes,
    });
    const controller = new AbortController();
    const call = failure(bench.agent.writeFile('/file', 'x', { signal: controller.signal }));
    await turns(bench.clock);
    controller.abort('no');
    expect(await bench.measure(call)).toBe(2000);
    expect(await call).toBe('no');
    answer();
    await turns(bench.clock);
    expect(bench.memory.openHandles).toBe(0);
  });
});

describe('writeFile', () => {
  test('replaces, or appends when asked, in chunks', async () => {
    await using bench = agentBench({ chunkBytes: 3 });
    bench.memory.files.set('/file', Buffer.from('before'));
    await bench.agent.writeFile('/file', 'würde');
    await bench.agent.writeFile('/file', Buffer.from('+more'), { append: true });
    expect(text(bench.memory.files.get('/file')!)).toBe('würde+more');
    expect(bench.memory.openHandles).toBe(0);
  });

  test('makes an empty file', async () => {
    await using bench = agentBench();
    await bench.agent.writeFile('/file', '');
    expect(bench.memory.files.get('/file')).toHaveLength(0);
  });

  test('sends again what the agent did not take', async () => {
    const sizes: number[] = [];
    await using bench = agentBench({
      onReply({ execute, arguments: parameters }, bytes) {
        if (execute !== 'guest-file-write') return bytes;
        sizes.push(Buffer.from(String(parameters['buf-b64']), 'base64').length);
        return reply({ count: 2, eof: false });
      },
    });
    await bench.agent.writeFile('/file', 'abcdef');
    expect(sizes).toEqual([6, 4, 2]);
  });

  test.each([{ count: 0 }, { count: 7 }, { count: -1 }, {}])(
    'calls the answer %j malformed, and closes',
    async (written) => {
      await using bench = agentBench({
        onReply: ({ execute }, bytes) => (execute === 'guest-file-write' ? reply(written) : bytes),
      });
      await expect(bench.agent.writeFile('/file', 'abcdef')).rejects.toMatchObject({ code: 'WARMVM_HOST_PROTOCOL' });
      expect(bench.memory.openHandles).toBe(0);
    },
  );

  test('fails when the file cannot be closed', async () => {
    await using bench = agentBench({
      onReply: ({ execute }, bytes) => (execute === 'guest-file-close' ? SILENT : bytes),
    });
    await expect(bench.drive(bench.agent.writeFile('/file', 'x'))).rejects.toMatchObject({
      code: 'WARMVM_GUEST_UNRESPONSIVE',
      details: { command: 'guest-file-close' },
    });
  });

  test('fails when the agent refuses to close the file', async () => {
    const error = { class: 'GenericError', desc: 'failed to close handle' };
    await using bench = agentBench({
      onReply: ({ execute }, bytes) =>
        execute === 'guest-file-close' ? Buffer.from(`${JSON.stringify({ error })}\n`) : bytes,
    });
    await expect(bench.agent.writeFile('/file', 'x')).rejects.toMatchObject({ code: 'WARMVM_GUEST_EXEC_FAILED' });
  });
});
