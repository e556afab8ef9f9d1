import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createSshDialer } from './dialer.ts';
import { dialFailure, dialWorld, generateKey, type ServerManners } from './fixtures/ssh-server.ts';

const SOCKET = '/var/run/libvirt/libvirt-sock';

describe('host keys', () => {
  test('that are unknown are refused with fingerprint and command', async () => {
    await using far = await dialWorld({}, { knownHosts: '/none' });
    const error = await dialFailure(far.dialer);
    expect(error).toMatchObject({
      code: 'WARMVM_HOST_DENIED',
      retryable: false,
      details: { problem: 'host-key-unknown', keyType: 'ssh-ed25519' },
    });
    expect(error.message).toMatch(/SHA256:[\w+/]{43}.*ssh-keyscan -p \d+ -t ed25519 127\.0\.0\.1 >> \/none/);
  });

  test('that have changed are refused, also where new ones are accepted', async () => {
    await using far = await dialWorld({ hostKey: generateKey().private }, { hostKeys: 'accept-new' });
    const error = await dialFailure(far.dialer);
    expect(error).toMatchObject({ code: 'WARMVM_HOST_DENIED', details: { problem: 'host-key-changed', line: 1 } });
    expect(error.message).toMatch(/ssh-keygen -f \S+ -R \\\[127\.0\.0\.1\\\]:\d+/);
  });

  test('that are revoked are refused', async () => {
    await using far = await dialWorld({});
    await writeFile(far.server.knownHosts, `${far.server.knownLine}@revoked ${far.server.knownLine}`);
    expect(await dialFailure(far.dialer)).toMatchObject({ details: { problem: 'host-key-revoked', line: 2 } });
  });

  test('that are new are written down once, where that was asked for', async () => {
    await using far = await dialWorld({ sockets: [SOCKET] });
    const file = join(far.server.folder, 'fresh/known_hosts');
    for (let time = 0; time < 2; time += 1) {
      const dialer = createSshDialer({ ...far.server.options, knownHosts: file, hostKeys: 'accept-new' });
      await dialer.dial();
      await dialer[Symbol.asyncDispose]();
    }
    expect(await readFile(file, 'utf8')).toBe(far.server.knownLine.replace(/ \n$/, '\n'));
  });

  test('of a file that cannot be read are no reason to trust', async () => {
    await using far = await dialWorld({}, { knownHosts: tmpdir() });
    await expect(far.dialer.dial()).rejects.toThrow('EISDIR');
  });
});

describe('proof of who we are', () => {
  const password: ServerManners = {
    sockets: [SOCKET],
    authenticate: (context) =>
      context.method === 'password' && context.password === 'open sesame'
        ? context.accept()
        : context.reject(['password']),
  };

  test('by an encrypted key whose passphrase is asked for', async () => {
    await using far = await dialWorld({ sockets: [SOCKET] });
    const locked = generateKey('right');
    Object.assign(far.server.userKey, locked);
    await writeFile(far.server.keyFile, locked.private);
    const asked: number[] = [];
    const passphrase = ({ attempt }: { attempt: number }) => {
      asked.push(attempt);
      return attempt === 1 ? 'wrong' : 'right';
    };
    const dialer = createSshDialer({ ...far.server.options, passphrase });
    await dialer.dial();
    expect(asked).toEqual([1, 2]);
    await dialer[Symbol.asyncDispose]();
    const wrong = createSshDialer({ ...far.server.options, passphrase: () => 'hunter2' });
    const error = await dialFailure(wrong);
    expect(error).toMatchObject({ code: 'WARMVM_HOST_DENIED', details: { problem: 'passphrase-wrong' } });
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
    const none = createSshDialer({ ...far.server.options, passphrase: () => undefined });
    expect(await dialFailure(none)).toMatchObject({ details: { problem: 'passphrase-missing' } });
    const silent = createSshDialer({ ...far.server.options });
    expect(await dialFailure(silent)).toMatchObject({ details: { problem: 'passphrase-missing' } });
  });

  test('by a password that is asked for three times at most', async () => {
    await using far = await dialWorld(password);
    const asked: unknown[] = [];
    const dialer = createSshDialer({
      ...far.server.options,
      password: async (request) => {
        asked.push(request);
        return request.attempt === 3 ? 'open sesame' : 'hunter2';
      },
    });
    await dialer.dial();
    expect(asked).toMatchObject([{ attempt: 1, user: 'tester', host: '127.0.0.1' }, { attempt: 2 }, { attempt: 3 }]);
    expect(inspect(dialer, { depth: 9, showHidden: true })).not.toContain('sesame');
    await dialer[Symbol.asyncDispose]();
    const wrong = createSshDialer({ ...far.server.options, password: () => 'hunter2' });
    const error = await dialFailure(wrong);
    expect(error).toMatchObject({ details: { problem: 'authentication-refused', methods: ['password'] } });
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });

  test('by answers to what the server asks', async () => {
    await using far = await dialWorld({
      sockets: [SOCKET],
      authenticate: (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
        context.prompt([{ prompt: 'Code: ', echo: false }], 'Two', 'Look at it', (answers) =>
          answers[0] === '42' ? context.accept() : context.reject(['keyboard-interactive']),
        );
      },
    });
    const asked: unknown[] = [];
    const dialer = createSshDialer({
      ...far.server.options,
      keyboardInteractive: (request) => {
        asked.push(request);
        return [request.attempt === 2 ? '42' : '41'];
      },
    });
    await dialer.dial();
    expect(asked[0]).toMatchObject({
      name: 'Two',
      instructions: 'Look at it',
      prompts: [{ prompt: 'Code: ', echo: false }],
    });
    await dialer[Symbol.asyncDispose]();
    const giving = createSshDialer({ ...far.server.options, keyboardInteractive: () => undefined });
    expect(await dialFailure(giving)).toMatchObject({ details: { problem: 'authentication-refused' } });
  });

  test('by nobody who is asked, where nobody may be asked', async () => {
    await using far = await dialWorld(password);
    const { port, keyFile, knownHosts } = far.server;
    const uri = `qemu+ssh://tester@127.0.0.1:${port}/system?no_tty=1&keyfile=${keyFile}&known_hosts=${knownHosts}`;
    const dialer = createSshDialer({
      uri,
      sshConfig: false,
      agent: false,
      password: () => expect.fail('asked') as never,
    });
    expect(await dialFailure(dialer)).toMatchObject({ details: { problem: 'authentication-refused' } });
  });

  test('fails with what a callback threw left out', async () => {
    await using far = await dialWorld(password);
    const dialer = createSshDialer({
      ...far.server.options,
      password: () => {
        throw new TypeError('hunter2');
      },
    });
    const error = await dialFailure(dialer);
    expect(error).toMatchObject({ details: { problem: 'callback-failed' } });
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });

  test('fails for a key that others may read, one that is public, one that is none, and one that is not there', async () => {
    await using far = await dialWorld({});
    const folder = await mkdtemp(join(tmpdir(), 'warmvm-unit-keys-'));
    const write = async (name: string, text: string, mode = 0o600): Promise<string> => {
      await writeFile(join(folder, name), text);
      await chmod(join(folder, name), mode);
      return join(folder, name);
    };
    const key = generateKey();
    const cases = [
      [await write('open', key.private, 0o644), 'chmod 600'],
      [await write('public', key.public), 'holds a public key'],
      [await write('none', 'nothing'), 'cannot be read'],
      [await write('huge', 'x'.repeat(70_000)), 'is larger than 65536 bytes'],
      [join(folder, 'absent'), 'ENOENT'],
    ] as const;
    for (const [keyFile, why] of cases) {
      const error = await dialFailure(createSshDialer({ ...far.server.options, keyFile }));
      expect(error).toMatchObject({ code: 'WARMVM_HOST_DENIED', details: { problem: 'key-unusable' } });
      expect(error.message).toContain(why);
      expect(error.details.remedy).toBe('mend the key file, or name another as keyFile');
    }
    await rm(folder, { recursive: true });
  });

  test('with an agent that is not there goes on without it', async () => {
    await using far = await dialWorld({ sockets: [SOCKET] }, { agent: '/no/agent' });
    await far.dialer.dial();
  });
});
