import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SshHost, startSshHost } from './support/ssh-host.ts';
import { bothLogIn, keygen } from './support/ssh-oracle.ts';

let folder: string;
let server: Server;
let socketPath: string;

const at = (name: string): string => join(folder, name);
const make = (name: string, type: string): Promise<number> => keygen('-t', type, '-N', '', '-C', name, '-f', at(name));
const both = (lines: readonly string[]): ReturnType<typeof bothLogIn> => bothLogIn(at('config'), socketPath, lines);
const FILE = ['IdentityAgent none', 'IdentitiesOnly yes'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-host-certificates-'));
  socketPath = at('libvirt-sock');
  server = createServer((socket) => socket.end()).listen(socketPath);
  await once(server, 'listening');
  await make('user-ca', 'ed25519');
});

afterAll(async () => {
  server?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

describe('a host with a certificate', () => {
  let far: SshHost;
  const types = ['ed25519', 'ecdsa', 'rsa'] as const;

  const known = async (text: string): Promise<readonly [boolean, boolean, unknown]> => {
    await writeFile(at('known'), text);
    return both([...FILE, `Port ${far.port}`, `IdentityFile ${far.keys.userKey}`, `UserKnownHostsFile ${at('known')}`]);
  };

  describe.each(types)('of the type %s', (type) => {
    let authority: string;

    beforeAll(async () => {
      await make(`host-ca-${type}`, type);
      authority = (await readFile(at(`host-ca-${type}.pub`), 'utf8')).trim();
      for (const [name, words] of [
        ['good', ['-n', '127.0.0.1,far.example']],
        ['wrong', ['-n', 'other.example']],
        ['late', ['-n', '127.0.0.1', '-V', '20200101:20200102']],
      ] as const) {
        await make(`${name}-host-${type}`, type);
        await keygen('-s', at(`host-ca-${type}`), '-h', '-I', name, ...words, `${at(`${name}-host-${type}`)}.pub`);
      }
    });

    const startWith = async (name: string): Promise<void> => {
      const file = at(`${name}-host-${type}`);
      far = await startSshHost([
        `HostKey ${file}`,
        `HostCertificate ${file}-cert.pub`,
        `HostKeyAlgorithms ${HOST_ALGORITHMS[type]}`,
      ]);
    };

    test('is trusted through its authority, by whatever pattern, and by nothing else', async () => {
      await startWith('good');
      await using _ = far;
      const place = `[127.0.0.1]:${far.port}`;
      const plain = (await readFile(`${at(`good-host-${type}`)}.pub`, 'utf8')).trim();
      const other = (await readFile(at('user-ca.pub'), 'utf8')).trim();
      for (const [text, isTrusted] of [
        [`@cert-authority * ${authority}\n`, true],
        [`@cert-authority ${place} ${authority}\n`, true],
        [`@cert-authority *,!127.0.0.1,!${place} ${authority}\n`, false],
        [`@cert-authority *.example ${authority}\n`, false],
        [`@cert-authority * ${other}\n`, false],
        [`@cert-authority * ${other}\n${place} ${plain}\n`, true],
        [`@cert-authority * ${authority}\n@revoked * ${authority}\n`, false],
        [`@cert-authority * ${authority}\n@revoked * ${plain}\n`, false],
        [`${place} ${authority}\n`, false],
      ] as const) {
        const [theirs, ours, why] = await known(text);
        if (isTrusted && !ours) throw why;
        expect([text, theirs, ours]).toEqual([text, isTrusted, isTrusted]);
      }
    });

    test.each(['wrong', 'late'])('that is %s is refused, with the reason', async (name) => {
      await startWith(name);
      await using _ = far;
      const [theirs, ours, why] = await known(`@cert-authority * ${authority}\n`);
      expect([theirs, ours]).toEqual([false, false]);
      expect(why).toMatchObject({ code: 'WARMVM_HOST_DENIED', details: { problem: 'host-key-unknown' } });
      expect((why as Error).message).toContain(name === 'wrong' ? 'it is for other.example' : 'it has expired');
    });
  });

  test('is looked for under its alias', async () => {
    await copyFile(at('good-host-ed25519'), at('aliased'));
    await chmod(at('aliased'), 0o600);
    await copyFile(at('good-host-ed25519.pub'), at('aliased.pub'));
    await keygen('-s', at('host-ca-ed25519'), '-h', '-I', 'x', '-n', 'far.example', at('aliased.pub'));
    far = await startSshHost([`HostKey ${at('aliased')}`, `HostCertificate ${at('aliased-cert.pub')}`]);
    await using _ = far;
    const authority = (await readFile(at('host-ca-ed25519.pub'), 'utf8')).trim();
    await writeFile(at('known'), `@cert-authority far.example ${authority}\n`);
    const lines = [
      ...FILE,
      `Port ${far.port}`,
      `IdentityFile ${far.keys.userKey}`,
      `UserKnownHostsFile ${at('known')}`,
    ];
    for (const [alias, isTrusted] of [
      ['far.example', true],
      ['near.example', false],
    ] as const) {
      const [theirs, ours] = await both([...lines, `HostKeyAlias ${alias}`]);
      expect([alias, theirs, ours]).toEqual([alias, isTrusted, isTrusted]);
    }
  });
});

const HOST_ALGORITHMS = {
  ed25519: 'ssh-ed25519-cert-v01@openssh.com,ssh-ed25519',
  ecdsa: 'ecdsa-sha2-nistp256-cert-v01@openssh.com,ecdsa-sha2-nistp256',
  rsa: 'rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-512',
};
