import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveHops } from '../link/hop.ts';
import { parseSshOptions } from '../options/parse-options.ts';
import { type ConfigPlace, configPlace, type HostConfig, hostConfig } from './host-config.ts';
import type { ConfigFile } from './read-config.ts';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'warmvm-unit-config-'));
  for (const name of ['more.d', 'many.d']) await mkdir(join(home, name));
  await Promise.all(Array.from({ length: 1_030 }, (_, index) => writeFile(join(home, 'many.d', `${index}`), '')));
});
afterAll(() => rm(home, { recursive: true }));

let count = 0;
/** A place with files of these contents. */
async function place(...texts: readonly string[]): Promise<ConfigPlace> {
  const files: ConfigFile[] = [];
  for (const text of texts) {
    count += 1;
    const file = join(home, `config${count}`);
    await writeFile(file, text);
    files.push({ path: file, includeFolder: home, isChecked: false });
  }
  const environment = { AGENT: '/agent', SSH_AUTH_SOCK: '/default-agent', EMPTY: '' };
  return { files, home, workingFolder: '/work', environment, localUser: () => userInfo().username };
}

const of = async (text: string, host = 'far', user?: string): Promise<HostConfig> =>
  hostConfig(await place(text), host, user);

describe('the ssh configuration', () => {
  test('says nothing where there is none', async () => {
    const files = [{ path: join(home, 'none'), includeFolder: home, isChecked: true }];
    const config = await hostConfig({ ...(await place()), files }, 'far', undefined);
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
      certificateFiles: [],
      addressFamily: 0,
      bindAddress: undefined,
      authMethods: ['publickey', 'keyboard-interactive', 'password'],
      missingMethods: [],
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
    ['port=2022', { port: 2022 }],
    ['UserKnownHostsFile none', { userKnownHostsFiles: [] }],
    ['IdentityFile key', { identityFiles: ['/work/key'] }],
    ['ConnectTimeout 1m30s', { connectTimeoutMs: 90_000 }],
    ['ServerAliveInterval 999999999w', { keepaliveIntervalMs: 2 ** 31 - 1 }],
    ['GSSAPIAuthentication yes\nPKCS11Provider none', { missingMethods: ['GSSAPIAuthentication (use a key)'] }],
    ['PKCS11Provider /x.so', { missingMethods: [expect.stringContaining('ssh-add -s')] }],
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
    ['Host *\n BindInterface eth0', 'bindinterface', 'use BindAddress'],
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
    ['IdentityFile %T', '%T, a token that is not supported'],
    ['Include ~other/x', 'the home of another user'],
    ['IdentityFile ~other/x', 'the home of another user'],
    ['User a\u001b[2J', 'control characters in line 1'],
    [Array.from({ length: 101 }, (_, index) => `IdentityFile /${index}`).join('\n'), 'more than 100'],
    ['Include many.d/*', 'one file more than the 1024'],
    ['Port twenty', 'expected a number from 1 to 65535'],
    ['ConnectTimeout 5x', 'expected seconds or a time such as 1m30s'],
    ['Include open', 'chmod 600'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: OpenSSH's own notation
    ['IdentityFile ${NOT_SET}', 'that is not set'],
    ['Host "', 'cannot be parsed'],
  ])('that says %j is refused', async (text, why) => {
    await writeFile(join(home, 'self'), 'Include self\n');
    await writeFile(join(home, 'open'), 'Port 1\n');
    await chmod(join(home, 'open'), 0o666);
    await expect(of(text)).rejects.toThrow(why);
  });

  test('is not read from a folder, nor when it is huge', async () => {
    const files = [{ path: home, includeFolder: home, isChecked: false }];
    await expect(hostConfig({ ...(await place()), files }, 'far', undefined)).rejects.toThrow('cannot be read');
    await expect(of('# x\n'.repeat(300_000))).rejects.toThrow('larger than 1 MiB');
  });

  test('is looked for where OpenSSH does, or in one file, or nowhere', () => {
    const paths = (sshConfig: boolean | string): readonly string[] =>
      configPlace(sshConfig).files.map(({ path }) => path);
    expect(paths(true)).toEqual([expect.stringMatching(/\.ssh\/config$/), '/etc/ssh/ssh_config']);
    expect(paths('/mine')).toEqual(['/mine']);
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
    expect(await hops({ proxyJump: 'me@corp.example@b' })).toMatchObject([{ host: 'b', user: 'me@corp.example' }, {}]);
    expect(await hops({ proxyJump: 'a@[::1]:23,ssh://b:24' })).toMatchObject([
      { host: '::1', port: 23, user: 'a' },
      { host: 'b', port: 24 },
      { host: 'far' },
    ]);
  });

  test.each(['', '-x', 'a b', 'a:0', 'a:99999', '-a@b', 'a/b', '[::1', 'a:hunter2@b', '@b'])(
    'over %j is refused',
    async (jump) => {
      await expect(hops({ proxyJump: ['one', jump === '' ? ' ' : jump] })).rejects.toThrow('is not a host on the way');
      await expect(hops({ proxyJump: [jump || ' '] })).rejects.not.toThrow('hunter2');
    },
  );

  test('of a process without a user name needs one only where nobody says it', async () => {
    const nameless = (): never => {
      throw new Error('no name');
    };
    const from = async (text: string, options: object): Promise<unknown> =>
      resolveHops(parseSshOptions({ host: 'far', ...options }), { ...(await place(text)), localUser: nameless });
    expect(await from('', { user: 'me' })).toMatchObject([{ user: 'me' }]);
    expect(await from('User me\nIdentityFile ~/%r', {})).toMatchObject([{ user: 'me' }]);
    await expect(from('', {})).rejects.toThrow('no name');
    await expect(from('IdentityFile %u', { user: 'me' })).rejects.toThrow('no name');
  });

  test('that leads back to itself is refused', async () => {
    await expect(hops({}, 'Host *\n ProxyJump gate')).rejects.toThrow('more than 8 hosts');
  });
});
