import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createSshDialer } from './dialer.ts';
import { dialFailure, dialWorld, finish } from './fixtures/ssh-server.ts';
import { FarRefusal, sshError } from './problem.ts';

const EVIL = '\u001b]0;pwned\u0007\u001b[2J\u009b31m\u202etext';
// biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is the point
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('what a server says', () => {
  test('reaches nobody with control sequences: message, details, causes and stacks', () => {
    const cause = Object.assign(new Error(`${EVIL}\n    at evil (${EVIL})`), { level: 'client-socket' });
    const error = sshError('link-lost', `it broke: ${EVIL}`, { methods: [EVIL], said: { more: EVIL } }, cause);
    for (const part of [
      error.message,
      String(error.stack),
      JSON.stringify(error.details),
      String((error.cause as Error).stack),
    ]) {
      expect(part).not.toMatch(OBEYED);
      expect(part).not.toContain('\\u001b');
    }
    expect(error.message).toContain('text');
    expect(sshError('link-lost', 'x'.repeat(100_000), { methods: Array(1_000).fill('y') }).message.length).toBeLessThan(
      2_100,
    );
  });

  test('before its key is checked, and instead of a version', async () => {
    const server = createServer((socket) => socket.end(`${EVIL}\r\n${EVIL}\r\n`)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { readonly port: number };
    const dialer = createSshDialer({ host: '127.0.0.1', port, user: 'me', sshConfig: false, agent: false });
    const error = await dialFailure(dialer);
    expect(inspect(error, { depth: 9 })).not.toMatch(OBEYED);
    await dialer[Symbol.asyncDispose]();
    server.close();
  });

  test('through a program that it runs, for the way and for the diagnosis', async () => {
    await using far = await dialWorld({ execute: (_command, channel) => finish(channel, 1, '', EVIL) });
    const error = await dialFailure(far.dialer);
    expect(inspect(error, { depth: 9 })).not.toMatch(OBEYED);
  });
});

describe('a forwarding that nobody refused', () => {
  test('is not reported as refused, whatever else went wrong', async () => {
    await using far = await dialWorld({ execute: (_command, channel) => finish(channel, 1) }, { way: 'helper' });
    const error = await dialFailure(far.dialer);
    expect(error.message).not.toContain('AllowStreamLocalForwarding');
    expect(new FarRefusal('no').name).toBe('FarRefusal');
  });
});
