import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createSshDialer } from '@warmvm/driver-libvirt-ssh';
import { openClient } from '@warmvm/libvirt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LibvirtHost, openLibvirtHost } from './support/libvirt-host.ts';
import { type SshHost, startSshHost } from './support/ssh-host.ts';
import { farPrograms, reaches, refused } from './support/ssh-refusal.ts';

let host: LibvirtHost;
let socketPath: string;
let ssh: SshHost;

beforeAll(async () => {
  host = await openLibvirtHost();
  socketPath = host.uri.replace(/^.*socket=/, '');
  ssh = await startSshHost();
});

afterAll(async () => {
  await ssh?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

const UNREACHABLE = 'WARMVM_HOST_UNREACHABLE';
const DENIED = 'WARMVM_HOST_DENIED';

describe('a far host that does not speak as we do', () => {
  test('because it has no algorithm in common with us', async () => {
    await using modern = await startSshHost(['KexAlgorithms sntrup761x25519-sha512@openssh.com']);
    await refused(modern, {}, 'no-common-algorithm', 'WARMVM_HOST_PROTOCOL');
  });

  test('because the network knows no way to it', () =>
    refused(ssh, { host: '255.255.255.255' }, 'network', UNREACHABLE));

  test('because it hangs up on what it takes to be too many at once', async () => {
    await using full = await startSshHost(['MaxStartups 1:100:1']);
    const script = `require("net").connect(${full.port}, "127.0.0.1").pipe(process.stdout)`;
    const waiting = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(waiting.stdout, 'data');
    try {
      await using dialer = createSshDialer(full.options);
      await expect(dialer.dial()).rejects.toMatchObject({
        code: 'WARMVM_HOST_UNREACHABLE',
        retryable: true,
        details: { problem: 'turned-away', remedy: expect.stringContaining('MaxStartups') },
      });
    } finally {
      waiting.kill('SIGKILL');
      await once(waiting, 'exit');
    }
  });
});

describe('a far host that does not let us in', () => {
  test('because the user is not allowed to', () => refused(ssh, { user: 'nobody' }, 'authentication-refused', DENIED));

  test('because the key is not', async () => {
    const error = await refused(ssh, { keyFile: ssh.keys.strangerKey }, 'authentication-refused', DENIED);
    expect(error.message).toContain(ssh.keys.strangerKey);
  });

  test('because the passphrase of the key is wrong, which is not shown', async () => {
    const options = { keyFile: ssh.keys.encryptedKey, passphrase: () => 'hunter2' };
    const error = await refused(ssh, options, 'passphrase-wrong', DENIED);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  test('lets us in with the right one', async () => {
    const { encryptedKey, passphrase } = ssh.keys;
    expect(await reaches({ ...ssh.options, socketPath, keyFile: encryptedKey, passphrase: () => passphrase })).toBe(
      'streamlocal',
    );
  });

  test('because too many keys were offered', async () => {
    await using few = await startSshHost(['MaxAuthTries 2']);
    const copies = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        const file = join(few.keys.folder, name);
        await once(spawn('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file], { stdio: 'ignore' }), 'exit');
        return file;
      }),
    );
    await refused(few, { keyFile: copies }, 'too-many-attempts', DENIED);
  });

  test('lets us in with the key that an agent holds, the right one among several', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-agent-'));
    const agent: ChildProcess = spawn('ssh-agent', ['-D', '-a', join(folder, 'agent')], { stdio: 'ignore' });
    try {
      const environment = { ...process.env, SSH_AUTH_SOCK: join(folder, 'agent') };
      const add = async (file: string): Promise<void> => {
        const [exitCode] = await once(spawn('ssh-add', ['-q', file], { env: environment, stdio: 'ignore' }), 'exit');
        if (exitCode !== 0) throw new Error(`ssh-add ended with ${exitCode}`);
      };
      await expect
        .poll(
          () =>
            add(ssh.keys.strangerKey).then(
              () => 'added',
              () => 'not yet',
            ),
          { timeout: 10_000 },
        )
        .toBe('added');
      await add(ssh.keys.userKey);
      const { keyFile: _none, ...rest } = ssh.options;
      const options = { ...rest, socketPath, agent: join(folder, 'agent') };
      expect(await reaches({ ...options, authMethods: ['agent'] })).toBe('streamlocal');
      // Only the file that is named: the public half tells which key of the agent that is.
      const named = join(folder, 'named');
      await symlink(`${ssh.keys.strangerKey}.pub`, `${named}.pub`);
      await refused(
        ssh,
        { agent: join(folder, 'agent'), identitiesOnly: true, keyFile: named, authMethods: ['agent'] },
        'authentication-refused',
        DENIED,
      );
    } finally {
      agent.kill('SIGTERM');
      await once(agent, 'exit');
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a far host without forwarding', () => {
  test('is reached by the next way', async () => {
    await using far = await startSshHost(['AllowStreamLocalForwarding no']);
    expect(await reaches({ ...far.options })).toBe('helper');
    expect(await reaches({ ...far.options, socketPath })).toBe('netcat');
    await refused(far, { way: 'streamlocal', socketPath }, 'forwarding-refused', DENIED);
  });

  test('nor commands is told so', async () => {
    await using far = await startSshHost(['AllowStreamLocalForwarding no', 'ForceCommand /bin/false']);
    await refused(far, { socketPath }, 'no-way', UNREACHABLE);
  });

  test('nor programs is told so', async () => {
    const error = await refused(ssh, { way: 'netcat', netcat: '/nowhere/nc', socketPath }, 'no-way', UNREACHABLE);
    expect(error.message).toContain('/nowhere/nc');
  });
});

describe('a far host without a daemon', () => {
  test('whose socket is missing', () => refused(ssh, { socketPath: '/run/no/socket' }, 'socket-missing', UNREACHABLE));

  test('whose socket nobody listens on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-dead-'));
    const path = join(folder, 'socket');
    const script = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
    await once(spawn(process.execPath, ['-e', script, path], { stdio: 'ignore' }), 'exit');
    await refused(ssh, { socketPath: path }, 'daemon-down', UNREACHABLE);
    await rm(folder, { recursive: true, force: true });
  });

  test('without libvirt at all', async () => {
    // Its commands find no libvirtd: the folders of programs hold nothing but a shell and its helpers.
    await using bare = await startSshHost([
      'ForceCommand cd /; PATH=/nowhere; export PATH; eval "$(echo "$SSH_ORIGINAL_COMMAND" | /usr/bin/sed \'s#/usr/sbin#/nowhere#g; s#/usr/local/sbin#/nowhere#g; s#^sh #/bin/sh #\')"',
    ]);
    await refused(bare, { socketPath: '/run/no/socket' }, 'libvirt-missing', UNREACHABLE);
  });
});

describe('a far host behind another', () => {
  test('is reached over it, and each shows its key', async () => {
    await using gate = await startSshHost();
    const known = join(gate.keys.folder, 'both');
    await writeFile(known, (await readFile(gate.knownHosts, 'utf8')) + (await readFile(ssh.knownHosts, 'utf8')));
    const proxyJump = `root@127.0.0.1:${gate.port}`;
    const keyFile = [gate.keys.userKey, ssh.keys.userKey];
    expect(await reaches({ ...ssh.options, socketPath, proxyJump, keyFile, knownHosts: known })).toBe('streamlocal');
    await expect.poll(() => gate.sessionPids(), { timeout: 10_000 }).toEqual([]);
    await refused(ssh, { proxyJump, keyFile }, 'host-key-unknown', DENIED);
    await refused(ssh, { proxyJump, keyFile, knownHosts: gate.knownHosts }, 'host-key-unknown', DENIED);
  });

  test('is told when that one does not pass on', async () => {
    await using gate = await startSshHost(['AllowTcpForwarding no']);
    const options = {
      proxyJump: `root@127.0.0.1:${gate.port}`,
      keyFile: gate.keys.userKey,
      knownHosts: gate.knownHosts,
    };
    await refused(ssh, options, 'jump-refused', UNREACHABLE);
  });
});

describe('a far host that is configured', () => {
  test('is found by the user configuration', async () => {
    const file = join(ssh.keys.folder, 'config');
    const lines = [
      'Host far',
      'HostName 127.0.0.1',
      `Port ${ssh.port}`,
      'User root',
      `IdentityFile ${ssh.keys.userKey}`,
    ];
    await writeFile(file, [...lines, `UserKnownHostsFile ${ssh.knownHosts}`, 'IdentityAgent none'].join('\n  '));
    expect(await reaches({ uri: `qemu+ssh://far/system?socket=${socketPath}`, sshConfig: file })).toBe('streamlocal');
    await appendFile(file, '\n  ProxyCommand nc %h %p\n');
    await refused(ssh, { host: 'far', sshConfig: file }, 'config-not-supported', 'WARMVM_NOT_SUPPORTED');
  });
});

describe('sessions', () => {
  test('over the number that the server takes open further connections', async () => {
    await using few = await startSshHost(['MaxSessions 3']);
    const dialer = createSshDialer({ ...few.options, socketPath, way: 'netcat' });
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => openClient({ uri: dialer.uri, dial: dialer.dial })),
    );
    expect(await few.sessionPids()).not.toHaveLength(0);
    expect((await farPrograms()).length).toBe(8);
    await Promise.all(clients.map((client) => client.close()));
    await dialer[Symbol.asyncDispose]();
    await expect.poll(farPrograms, { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => few.sessionPids(), { timeout: 10_000 }).toEqual([]);
  });
});
