import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSshDialer } from '@warmvm/driver-libvirt-ssh';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type SshHost, startSshHost } from './support/ssh-host.ts';
import { bothLogIn, keygen, run } from './support/ssh-oracle.ts';

// "If ssh works, this works": each way to log in is tried with OpenSSH's own client first, with the same configuration file.
let folder: string;
let server: Server;
let socketPath: string;
let ssh: SshHost;
let agent: ChildProcess;
let agentPath: string;

const at = (name: string): string => join(folder, name);

const make = (name: string, type: string, ...more: readonly string[]): Promise<number> =>
  keygen('-t', type, '-N', '', '-C', name, '-f', at(name), ...more);
const certify = (name: string, ...more: readonly string[]): Promise<number> =>
  keygen('-s', at('user-ca'), '-I', name, ...more, `${at(name)}.pub`);
const add = (name: string): Promise<number> => run('ssh-add', ['-q', at(name)], { SSH_AUTH_SOCK: agentPath });

const TYPES: readonly (readonly [name: string, words: readonly string[]])[] = [
  ['ed25519', ['ed25519']],
  ['ecdsa-256', ['ecdsa', '-b', '256']],
  ['ecdsa-384', ['ecdsa', '-b', '384']],
  ['ecdsa-521', ['ecdsa', '-b', '521']],
  ['rsa', ['rsa', '-b', '2048']],
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-e2e-keys-'));
  socketPath = at('libvirt-sock');
  server = createServer((socket) => socket.end()).listen(socketPath);
  await once(server, 'listening');
  await make('user-ca', 'ed25519');
  await make('rsa-ca', 'rsa', '-b', '2048');
  const settings = [
    'MaxAuthTries 20',
    `TrustedUserCAKeys ${at('authorities')}`,
    `AuthorizedPrincipalsFile ${at('principals')}`,
  ];
  await writeFile(
    at('authorities'),
    (await readFile(at('user-ca.pub'), 'utf8')) + (await readFile(at('rsa-ca.pub'), 'utf8')),
  );
  await writeFile(at('principals'), 'root\noperator\n');
  ssh = await startSshHost(settings);
  const authorize = async (name: string): Promise<void> =>
    appendFile(join(ssh.keys.folder, 'authorized_keys'), await readFile(`${at(name)}.pub`));
  for (const [name, [type = '', ...words]] of TYPES) {
    await make(`plain-${name}`, type, ...words);
    await authorize(`plain-${name}`);
    await make(`cert-${name}`, type, ...words);
    await certify(`cert-${name}`, '-n', 'root');
    await make(`old-${name}`, type, ...words);
    await authorize(`old-${name}`);
    if (type === 'ed25519') continue;
    // Two older forms; ssh-keygen writes them over the file.
    await copyFile(at(`old-${name}`), at(`pem-${name}`));
    await chmod(at(`pem-${name}`), 0o600);
    await keygen('-p', '-N', '', '-m', 'PEM', '-f', at(`pem-${name}`));
    await copyFile(at(`old-${name}`), at(`pkcs8-${name}`));
    await chmod(at(`pkcs8-${name}`), 0o600);
    await keygen('-p', '-N', '', '-m', 'PKCS8', '-f', at(`pkcs8-${name}`));
    await run('openssl', [
      'pkcs8',
      '-topk8',
      '-in',
      at(`pkcs8-${name}`),
      '-out',
      at(`locked-${name}`),
      '-passout',
      'pass:open sesame',
    ]);
    await chmod(at(`locked-${name}`), 0o600);
  }
  await make('many', 'ed25519');
  await certify('many', '-n', 'someone,operator');
  await make('other', 'ed25519');
  await certify('other', '-n', 'someone');
  await make('expired', 'ed25519');
  await certify('expired', '-n', 'root', '-V', '20200101:20200102');
  await make('by-rsa', 'ed25519');
  await keygen('-s', at('rsa-ca'), '-t', 'rsa-sha2-512', '-I', 'x', '-n', 'root', `${at('by-rsa')}.pub`);
  await make('foreign-ca', 'ed25519');
  await make('foreign', 'ed25519');
  await keygen('-s', at('foreign-ca'), '-I', 'x', '-n', 'root', `${at('foreign')}.pub`);
  await mkdir(at('apart'));
  await make('apart/key', 'ed25519');
  await certify('apart/key', '-n', 'root');
  await copyFile(at('apart/key-cert.pub'), at('apart/elsewhere.pub'));
  await rm(at('apart/key-cert.pub'));
  agentPath = at('agent');
  agent = spawn('ssh-agent', ['-D', '-a', agentPath], { stdio: 'ignore' });
  const isAdded = (): Promise<boolean> =>
    add('plain-ed25519').then(
      () => true,
      () => false,
    );
  await vi.waitUntil(isAdded, { timeout: 60_000 });
  for (const name of ['plain-rsa', 'cert-ecdsa-256', 'cert-rsa', 'apart/key']) await add(name);
});

afterAll(async () => {
  await ssh?.[Symbol.asyncDispose]();
  server?.close();
  if (agent?.exitCode === null) {
    agent.kill('SIGTERM');
    await once(agent, 'exit');
  }
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** Both clients with one configuration file. */
const both = (lines: readonly string[]): ReturnType<typeof bothLogIn> => {
  const own = [`Port ${ssh.port}`, `UserKnownHostsFile ${ssh.knownHosts}`];
  return bothLogIn(
    at('config'),
    socketPath,
    [...lines, ...own].map((line) => line.replaceAll('FOLDER', folder)),
  );
};

const FILE = ['IdentityAgent none', 'IdentitiesOnly yes'];
const AGENT = ['IdentityAgent FOLDER/agent'];
const names = TYPES.map(([name]) => name);
const older = names.filter((name) => name !== 'ed25519');

const WORKS: readonly (readonly string[])[] = [
  ...names.map((name) => [...FILE, `IdentityFile FOLDER/plain-${name}`]),
  ...names.map((name) => [...FILE, `IdentityFile FOLDER/cert-${name}`]),
  ...older.flatMap((name) => ['pem', 'pkcs8'].map((form) => [...FILE, `IdentityFile FOLDER/${form}-${name}`])),
  [...FILE, 'IdentityFile FOLDER/many'],
  [...FILE, 'IdentityFile FOLDER/by-rsa'],
  [...FILE, 'IdentityFile FOLDER/apart/key', 'CertificateFile FOLDER/apart/elsewhere.pub'],
  [...FILE, 'IdentityFile FOLDER/other', 'IdentityFile FOLDER/plain-rsa'],
  [...AGENT, 'IdentityFile none'],
  [...AGENT, 'IdentitiesOnly yes', 'IdentityFile FOLDER/plain-ed25519.pub'],
  [...AGENT, 'IdentitiesOnly yes', 'IdentityFile FOLDER/plain-rsa.pub'],
  [...AGENT, 'IdentitiesOnly yes', 'IdentityFile FOLDER/cert-ecdsa-256'],
  [...AGENT, 'IdentitiesOnly yes', 'IdentityFile FOLDER/cert-rsa'],
  [...AGENT, 'IdentitiesOnly yes', 'IdentityFile FOLDER/apart/key.pub', 'CertificateFile FOLDER/apart/elsewhere.pub'],
];

const FAILS: readonly (readonly string[])[] = [
  [...FILE, 'IdentityFile FOLDER/other'],
  [...FILE, 'IdentityFile FOLDER/expired'],
  [...FILE, 'IdentityFile FOLDER/foreign'],
  [...FILE, 'IdentityFile FOLDER/foreign-ca'],
  [...FILE, 'IdentityFile FOLDER/plain-rsa.pub'],
  [...AGENT, 'IdentitiesOnly yes', 'IdentityFile FOLDER/other'],
  ['PubkeyAuthentication no', ...FILE, 'IdentityFile FOLDER/plain-rsa'],
];

describe('a login that ssh makes is made here', () => {
  test.each(WORKS.map((lines) => [lines.join('; '), lines] as const))('%s', async (_name, lines) => {
    const [theirs, ours, why] = await both(lines);
    if (!ours) throw why;
    expect([theirs, ours]).toEqual([true, true]);
  });

  test.each(older)('with an encrypted key in PKCS#8, %s, whose passphrase is asked for', async (name) => {
    const asked: number[] = [];
    const passphrase = ({ attempt }: { readonly attempt: number }): string => {
      asked.push(attempt);
      return attempt === 1 ? 'wrong' : 'open sesame';
    };
    const options = {
      host: '127.0.0.1',
      port: ssh.port,
      user: 'root',
      knownHosts: ssh.knownHosts,
      sshConfig: false,
      agent: false,
    } as const;
    const dialer = createSshDialer({ ...options, socketPath, keyFile: at(`locked-${name}`), passphrase });
    (await dialer.dial()).destroy();
    await dialer[Symbol.asyncDispose]();
    expect(asked).toEqual([1, 2]);
  });

  test('with an encrypted key of ed25519 in PKCS#8, which only newer ones of ssh read', async () => {
    const file = at('pkcs8-ed25519');
    await run('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', file]);
    await chmod(file, 0o600);
    const { createPublicKey } = await import('node:crypto');
    const raw = createPublicKey(await readFile(file, 'utf8'))
      .export({ type: 'spki', format: 'der' })
      .subarray(-32);
    const head = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');
    const line = `ssh-ed25519 ${Buffer.concat([head, raw]).toString('base64')}\n`;
    await appendFile(join(ssh.keys.folder, 'authorized_keys'), line);
    const [, ours, why] = await both([...FILE, `IdentityFile ${file}`]);
    if (!ours) throw why;
  });
});

describe('a login that ssh does not make fails here too', () => {
  test.each(FAILS.map((lines) => [lines.join('; '), lines] as const))('%s', async (_name, lines) => {
    const [theirs, ours, why] = await both(lines);
    expect([theirs, ours]).toEqual([false, false]);
    expect(why).toMatchObject({ code: 'WARMVM_HOST_DENIED', retryable: false });
  });
});
