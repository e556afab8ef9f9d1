import { appendFile, chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createSshDialer, type SshOptions } from '@warmvm/driver-libvirt-ssh';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SshHost, startSshHost } from './support/ssh-host.ts';

// Users of a computer of its own: sshd and what it starts see files of users that have one more, in a mount name space.
const USER = 'warmvm-guest';
const PASSWORD = 'open sesame';
/** What `openssl passwd -6` makes of it. */
const HASH = '$6$warmvm$.WDARrv7VmQaYxakbHlWMxaDOvmb9ZgU0OWzb3gsWbk/aMRFAfApbUFYWzY6EwpVy2WGItMciT5VewzHWYQxE1';
const within = [
  ...['unshare', '-m', 'sh', '-c'],
  'folder=$1; shift; mount --make-rprivate / && for f in passwd shadow; do mount --bind "$folder/$f" "/etc/$f" || exit 1; done; exec "$@"',
  'sh',
];

let folder: string;
let server: Server;
let socketPath: string;
let ssh: SshHost;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-logins-'));
  await chmod(folder, 0o755);
  for (const file of ['passwd', 'shadow']) await copyFile(join('/etc', file), join(folder, file));
  await appendFile(join(folder, 'passwd'), `${USER}:x:4242:4242::/:/bin/sh\n`);
  await appendFile(join(folder, 'shadow'), `${USER}:${HASH}:20000:0:99999:7:::\n`);
  socketPath = join(folder, 'libvirt-sock');
  server = createServer((socket) => socket.end()).listen(socketPath);
  await new Promise((resolve) => server.once('listening', resolve));
  const settings = ['UsePAM yes', 'MaxAuthTries 10', 'PasswordAuthentication yes', 'KbdInteractiveAuthentication yes'];
  ssh = await startSshHost(settings, { within: [...within, folder] });
});

afterAll(async () => {
  await ssh?.[Symbol.asyncDispose]();
  server?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** Undefined when the socket was reached, else why not. */
async function dialled(options: Partial<SshOptions>): Promise<unknown> {
  const { keyFile: _, ...rest } = ssh.options;
  const dialer = createSshDialer({ ...rest, keyFile: ssh.keys.strangerKey, user: USER, socketPath, ...options });
  try {
    (await dialer.dial()).destroy();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await dialer[Symbol.asyncDispose]();
    await expect.poll(() => ssh.sessionPids(), { timeout: 20_000 }).toEqual([]);
  }
}

describe('a user of a far host who logs in', () => {
  beforeAll(() => chmod(socketPath, 0o666));

  test('with a password, the second time', async () => {
    const attempts: number[] = [];
    const password = ({ attempt }: { readonly attempt: number }): string => {
      attempts.push(attempt);
      return attempt === 1 ? 'hunter2' : PASSWORD;
    };
    expect(await dialled({ authMethods: ['password'], password })).toBeUndefined();
    expect(attempts).toEqual([1, 2]);
  });

  test('with answers to what the host asks', async () => {
    const asked: string[] = [];
    const keyboardInteractive: SshOptions['keyboardInteractive'] = ({ prompts }) => {
      asked.push(...prompts.map(({ prompt, echo }) => `${prompt}${echo}`));
      return prompts.map(() => PASSWORD);
    };
    expect(await dialled({ authMethods: ['keyboard-interactive'], keyboardInteractive })).toBeUndefined();
    expect(asked).toEqual(['Password: false']);
  });

  test('with a wrong password is refused after three times, which is not shown', async () => {
    const error = await dialled({ authMethods: ['password'], password: () => 'hunter2' });
    expect(error).toMatchObject({
      code: 'WARMVM_HOST_DENIED',
      details: { problem: 'authentication-refused', tried: ['password', 'password', 'password'] },
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  test('by a URI that forbids asking is not asked', async () => {
    const { port, knownHosts } = ssh.options;
    const { keyFile, ...rest } = { keyFile: ssh.keys.strangerKey, sshConfig: false, agent: false } as const;
    const uri = `qemu+ssh://${USER}@127.0.0.1:${port}/system?no_tty=1&keyfile=${keyFile}&known_hosts=${knownHosts}`;
    const dialer = createSshDialer({ ...rest, uri, password: () => expect.fail('asked') as never });
    await expect(dialer.dial()).rejects.toMatchObject({ details: { problem: 'authentication-refused' } });
    await dialer[Symbol.asyncDispose]();
  });
});

test('a user who may not use the socket is told so', async () => {
  await chmod(socketPath, 0o600);
  expect(await dialled({ password: () => PASSWORD })).toMatchObject({
    code: 'WARMVM_HOST_DENIED',
    details: { problem: 'socket-denied', remedy: expect.stringContaining('group libvirt') },
  });
});
