import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveHops } from '../link/hop.ts';
import { parseSshOptions } from '../options/parse-options.ts';
import { type ConfigPlace, configPlace, type HostConfig, hostConfig } from './host-config.ts';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'warmvm-unit-config-'));
  await mkdir(join(home, 'more.d'));
});
afterAll(() => rm(home, { recursive: true }));

let count = 0;
/** A place with files of these contents. */
async function place(...texts: readonly string[]): Promise<ConfigPlace> {
  const files: string[] = [];
  for (const text of texts) {
    count += 1;
    const file = join(home, `config${count}`);
    await writeFile(file, text);
    files.push(file);
  }
  return { files, home, environment: { AGENT: '/agent', SSH_AUTH_SOCK: '/default-agent', EMPTY: '' } };
}

const of = async (text: string, host = 'far', user?: string): Promise<HostConfig> =>
  hostConfig(await place(text), host, user);

describe('the ssh configuration', () => {
  test('says nothing where there is none', async () => {
    const config = await hostConfig({ files: [join(home, 'none')], home, environment: {} }, 'far', undefined);
    expect(config).toMatchObject({ hostName: undefined, port: undefined, proxyJump: undefined, hostKeys: undefined });
  });

  test('says everything that is honoured', async () => {
    const config = await of(`
      Host far
        HostName %h.example.org
        Port 2200
        User me
        IdentityFile ~/keys/one
        IdentityFile %d/keys/%r@%h
        IdentitiesOnly yes
        IdentityAgent $AGENT
        ProxyJump a@one:2201,two
        UserKnownHostsFile /k1 ~/k2
        GlobalKnownHostsFile /g
        StrictHostKeyChecking accept-new
        HostKeyAlias other
        HashKnownHosts yes
        ConnectTimeout 7
        ServerAliveInterval 3
        ServerAliveCountMax 2
        BatchMode yes
    `);
    expect(config).toEqual({
      hostName: 'far.example.org',
      port: 2200,
      user: 'me',
      identityFiles: [`${home}/keys/one`, `${home}/keys/me@far.example.org`],
      identitiesOnly: true,
      identityAgent: '/agent',
      proxyJump: ['a@one:2201', 'two'],
      userKnownHostsFiles: ['/k1', `${home}/k2`],
      globalKnownHostsFiles: ['/g'],
      hostKeys: 'accept-new',
      hostKeyAlias: 'other',
      hashKnownHosts: true,
      connectTimeoutMs: 7000,
      keepaliveIntervalMs: 3000,
      keepaliveCount: 2,
      isBatch: true,
    });
  });

  test.each([
    ['IdentityAgent none', { identityAgent: false }],
    ['IdentityAgent SSH_AUTH_SOCK', { identityAgent: undefined }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: OpenSSH's own notation
    ['IdentityAgent "${AGENT}"', { identityAgent: '/agent' }],
    ['ProxyJump none', { proxyJump: [] }],
    ['StrictHostKeyChecking no', { hostKeys: 'accept-new' }],
    ['StrictHostKeyChecking ask', { hostKeys: 'strict' }],
    ['ConnectTimeout 0\nServerAliveInterval 0', { connectTimeoutMs: undefined, keepaliveIntervalMs: undefined }],
    ['Port twenty', { port: undefined }],
    ['port=2022', { port: 2022 }],
    ['UserKnownHostsFile none', { userKnownHostsFiles: [] }],
    ['IdentityFile key', { identityFiles: [expect.stringMatching(/\.ssh\/key$/)] }],
  ])('with %j', async (text, expected) => {
    expect(await of(text)).toMatchObject(expected);
  });

  test('takes the first word of several, over files too', async () => {
    const config = await hostConfig(
      await place('Host f*\n Port 1\nHost *\n Port 2\n User a', 'Port 3\nHostName h'),
      'far',
      undefined,
    );
    expect(config).toMatchObject({ port: 1, user: 'a', hostName: 'h' });
  });

  test('leaves a user that was given as it is', async () => {
    expect((await of('User other', 'far', 'me')).user).toBeUndefined();
    expect((await of('Match user me\n Port 7', 'far', 'me')).port).toBe(7);
  });

  test('follows includes, by pattern too, and only where they stand', async () => {
    await writeFile(join(home, 'more.d/a.conf'), 'Host far\n Port 11\n');
    await writeFile(join(home, 'more.d/b.conf'), 'Host far\n Port 12\n');
    await writeFile(join(home, 'plain'), 'User included\n');
    expect(await of('Include more.d/*.conf\nUser outer')).toMatchObject({ port: 11, user: 'outer' });
    expect(await of(`Include ${home}/more.d/?.conf`, 'near')).toMatchObject({ port: undefined });
    expect(await of('Host far\n Include ~/plain\nHost *\n User outer')).toMatchObject({ user: 'included' });
    expect(await of('Host near\n Include ~/plain\nHost *\n User outer')).toMatchObject({ user: 'outer' });
    expect(await of('Include nothing-there')).toMatchObject({ user: undefined });
  });

  test.each([
    ['ProxyCommand nc %h %p', 'proxycommand', 'use ProxyJump'],
    ['KnownHostsCommand /bin/x', 'knownhostscommand', 'UserKnownHostsFile'],
    ['RevokedHostKeys /x', 'revokedhostkeys', '@revoked'],
    ['CanonicalizeHostname yes', 'canonicalizehostname', 'write the full name'],
    ['Match exec "touch %HOME%/owned"\n Port 1', 'Match exec', 'name the host'],
    ['Match host far exec true\n Port 1', 'Match exec', 'name the host'],
    ['Match localnetwork 10.0.0.0/8\n Port 1', 'Match localnetwork', 'name the host'],
  ])('that says %j is refused, and runs nothing', async (text, name, remedy) => {
    const error = await of(text).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'WARMVM_NOT_SUPPORTED', details: { problem: 'config-not-supported' } });
    expect((error as Error).message).toContain(name);
    expect((error as Error).message).toContain(remedy);
  });

  test.each([
    'ProxyCommand none',
    'CanonicalizeHostname no',
    'Host near\n ProxyCommand x',
    'Match host near exec false\n Port 1',
  ])('that says %j is not refused', async (text) => {
    expect((await of(text)).port).toBeUndefined();
  });

  test.each([
    ['Include self', 'includes itself'],
    ['Include */x', 'pattern that is not supported'],
    ['Host a\n Include nested', 'inside of a Host or Match'],
    ['IdentityFile %T', '%T in the ssh configuration'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: OpenSSH's own notation
    ['IdentityFile ${NOT_SET}', 'is not set'],
    ['Host "', 'cannot be parsed'],
  ])('that says %j is refused', async (text, why) => {
    await writeFile(join(home, 'self'), 'Include self\n');
    await writeFile(join(home, 'nested'), 'Host b\n Port 1\n');
    await expect(of(text)).rejects.toThrow(why);
  });

  test('is not read from a folder, nor when it is huge', async () => {
    await expect(hostConfig({ files: [home], home, environment: {} }, 'far', undefined)).rejects.toThrow(
      'cannot be read',
    );
    await expect(of('# x\n'.repeat(300_000))).rejects.toThrow('larger than 1 MiB');
  });

  test('is looked for where OpenSSH does, or in one file, or nowhere', () => {
    expect(configPlace(true).files).toEqual([expect.stringMatching(/\.ssh\/config$/), '/etc/ssh/ssh_config']);
    expect(configPlace('/mine').files).toEqual(['/mine']);
    expect(configPlace(false).files).toEqual([]);
  });
});

describe('the way to a host', () => {
  const hops = async (options: object, text = ''): Promise<readonly object[]> =>
    resolveHops(parseSshOptions({ host: 'far', ...options }), await place(text));

  test('is one hop with the defaults of OpenSSH', async () => {
    expect(await hops({})).toMatchObject([
      {
        host: 'far',
        port: 22,
        user: userInfo().username,
        names: ['far'],
        hostKeys: 'strict',
        agent: '/default-agent',
        knownHostsFiles: [
          `${home}/.ssh/known_hosts`,
          `${home}/.ssh/known_hosts2`,
          '/etc/ssh/ssh_known_hosts',
          '/etc/ssh/ssh_known_hosts2',
        ],
        authMethods: ['publickey', 'keyboard-interactive', 'password'],
        connectTimeoutMs: 20_000,
        keepaliveIntervalMs: 5_000,
        keepaliveCount: 3,
      },
    ]);
  });

  test('lets options outweigh the configuration', async () => {
    const config =
      'Port 1\nUser a\nIdentityFile /i\nUserKnownHostsFile /u\nStrictHostKeyChecking no\nProxyJump x\nIdentityAgent /a';
    const options = {
      port: 2,
      user: 'b',
      keyFile: '~/k',
      knownHosts: '/o',
      hostKeys: 'strict',
      proxyJump: [],
      agent: false,
    };
    expect(await hops(options, config)).toMatchObject([
      {
        port: 2,
        user: 'b',
        knownHostsFiles: ['/o'],
        hostKeys: 'strict',
        agent: undefined,
        identityFiles: [{ path: `${home}/k` }, { path: '/i' }],
      },
    ]);
  });

  test('leads over jump hosts, each with its own configuration', async () => {
    const config = 'Host gate\n HostName gate.example\n Port 2222\n ProxyJump door\nHost far\n ProxyJump me@gate';
    expect(await hops({}, config)).toMatchObject([
      { host: 'door', port: 22 },
      { host: 'gate.example', port: 2222, user: 'me', names: ['[gate.example]:2222', 'gate.example'] },
      { host: 'far' },
    ]);
    expect(await hops({ proxyJump: 'a@[::1]:23,ssh://b:24' })).toMatchObject([
      { host: '::1', port: 23, user: 'a' },
      { host: 'b', port: 24 },
      { host: 'far' },
    ]);
  });

  test.each(['', '-x', 'a b', 'a:0', 'a:99999', 'a@b@c', 'a/b', '[::1'])('over %j is refused', async (jump) => {
    await expect(hops({ proxyJump: ['one', jump === '' ? ' ' : jump] })).rejects.toThrow('is no host on the way');
  });

  test('that leads back to itself is refused', async () => {
    await expect(hops({}, 'Host *\n ProxyJump gate')).rejects.toThrow('more than 8 hosts');
  });
});
