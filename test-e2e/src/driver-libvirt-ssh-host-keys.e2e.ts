import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LibvirtHost, openLibvirtHost } from './support/libvirt-host.ts';
import { type SshHost, startSshHost } from './support/ssh-host.ts';
import { reaches, refused } from './support/ssh-refusal.ts';

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

const DENIED = 'WARMVM_HOST_DENIED';

describe('the key of a far host', () => {
  test('that is unknown is refused with the fingerprint that ssh-keygen prints', async () => {
    const error = await refused(ssh, { knownHosts: '/nowhere' }, 'host-key-unknown', DENIED);
    const keygen = spawn('ssh-keygen', ['-lf', `${ssh.keys.hostKey}.pub`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = (await once(keygen.stdout, 'data')) as [Buffer];
    expect(error.message).toContain(String(printed).split(' ')[1]);
  });

  test('that is another than the known one is refused', async () => {
    const known = join(ssh.keys.folder, 'changed');
    const [type, key] = (await readFile(`${ssh.keys.otherHostKey}.pub`, 'utf8')).split(' ');
    await writeFile(known, `[127.0.0.1]:${ssh.port} ${type} ${key}\n`);
    await refused(ssh, { knownHosts: known, hostKeys: 'accept-new' }, 'host-key-changed', DENIED);
  });

  test('that is revoked is refused', async () => {
    const known = join(ssh.keys.folder, 'revoked');
    await copyFile(ssh.knownHosts, known);
    await appendFile(known, `@revoked * ${await readFile(`${ssh.keys.hostKey}.pub`, 'utf8')}`);
    await refused(ssh, { knownHosts: known }, 'host-key-revoked', DENIED);
  });

  test('is found among hashed names as ssh-keygen writes them', async () => {
    const known = join(ssh.keys.folder, 'hashed');
    await copyFile(ssh.knownHosts, known);
    await once(spawn('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'ignore' }), 'exit');
    expect(await readFile(known, 'utf8')).toMatch(/^\|1\|/);
    expect(await reaches({ ...ssh.options, socketPath, knownHosts: known })).toBe('streamlocal');
  });

  test.each(['rsa', 'ecdsa', 'ed25519'])(
    'is checked by the type that is known, %s, whatever others the host has',
    async (type) => {
      const folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-types-'));
      try {
        for (const each of ['rsa', 'ecdsa', 'ed25519']) {
          const words = ['-q', '-t', each, '-N', '', '-f', join(folder, each)];
          await once(spawn('ssh-keygen', words, { stdio: 'ignore' }), 'exit');
        }
        await using many = await startSshHost(['rsa', 'ecdsa', 'ed25519'].map((each) => `HostKey ${folder}/${each}`));
        const [name, key] = (await readFile(join(folder, `${type}.pub`), 'utf8')).split(' ');
        const known = join(folder, 'known');
        await writeFile(known, `[127.0.0.1]:${many.port} ${name} ${key}\n`);
        expect(await reaches({ ...many.options, socketPath, knownHosts: known })).toBe('streamlocal');
        // Of a host that is known, a key of another type is not new.
        await using one = await startSshHost();
        await writeFile(known, `[127.0.0.1]:${one.port} ${name} ${key}\n`);
        const problem = type === 'ed25519' ? 'host-key-changed' : 'host-key-unknown';
        await refused(one, { knownHosts: known, hostKeys: 'accept-new' }, problem, DENIED);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  test('that is new is written down so that ssh itself takes it', async () => {
    const known = join(ssh.keys.folder, 'fresh');
    await reaches({ ...ssh.options, socketPath, knownHosts: known, hostKeys: 'accept-new' });
    const words = ['-p', String(ssh.port), '-i', ssh.keys.userKey, '-o', `UserKnownHostsFile=${known}`];
    const strict = ['-F', 'none', '-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes', 'root@127.0.0.1', 'true'];
    const [exitCode] = await once(spawn('ssh', [...words, ...strict], { stdio: 'ignore' }), 'exit');
    expect(exitCode).toBe(0);
  });
});
