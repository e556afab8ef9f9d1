import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CASES, type ConfigCase, TOKENS } from '../fixtures/ssh-configs.ts';
import { type HostConfig, hostConfig } from './host-config.ts';

// OpenSSH itself says what a configuration means: `ssh -G` prints it. What it refuses has to be refused here too.
const hasSsh = spawnSync('ssh', ['-V']).status === 0;
const { username, homedir: home } = userInfo();

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warmvm-unit-oracle-'));
  file = join(folder, 'config');
  await mkdir(join(folder, 'parts'));
  const parts: Readonly<Record<string, string>> = {
    'a.conf': 'Port 11\nHost near\n User near-a',
    'b.conf': 'Port 12\nUser b',
    'c.txt': 'Port 13',
    '.hidden.conf': 'HostKeyAlias hidden',
    'hosts.conf': 'Host far\n Port 21\nHost near\n Port 22',
    'match.conf': 'Match host far\n HashKnownHosts yes\nMatch all\n Port 31',
    'deep.conf': `Include ${folder}/parts/hosts.conf\nUser deep`,
    'loop.conf': `Include ${folder}/parts/loop.conf`,
  };
  for (const [name, text] of Object.entries(parts))
    await writeFile(join(folder, 'parts', name), `${text}\n`, { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What `ssh -G` prints, a list for each keyword; undefined where it refuses. */
function answerOf({ host = 'far', user }: ConfigCase): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  const words = ['-F', file, ...(user === undefined ? [] : ['-l', user]), '-G', host];
  return new Promise((done) => {
    execFile('ssh', words, { env: { PATH: process.env.PATH, HOME: home } }, (error, stdout) => {
      if (error !== null) return done(undefined);
      const found = new Map<string, string[]>();
      for (const line of stdout.split('\n')) {
        const [name = '', ...rest] = line.split(' ');
        found.set(name, [...(found.get(name) ?? []), rest.join(' ')]);
      }
      done(found);
    });
  });
}

/** Both in the same words. */
function spoken(answer: ReadonlyMap<string, readonly string[]>): object {
  const one = (name: string): string | undefined => answer.get(name)?.[0];
  const seconds = (name: string): number => (one(name) === 'none' ? 0 : Number(one(name)));
  const path = (text: string): string => resolve(text.replace(/^~(?=\/)/, home));
  const paths = (name: string): readonly string[] =>
    (answer.get(name) ?? []).filter((text) => text !== 'none').map(path);
  const methods = (one('preferredauthentications') ?? 'publickey,keyboard-interactive,password').split(',');
  const off = [
    ['publickey', one('pubkeyauthentication')],
    ['keyboard-interactive', one('kbdinteractiveauthentication')],
    ['password', one('passwordauthentication')],
  ].flatMap(([name, value]) => (value === 'no' || value === 'false' ? [name] : []));
  const isListed = (name: string): boolean => ['publickey', 'keyboard-interactive', 'password'].includes(name);
  return {
    hostName: one('hostname'),
    port: Number(one('port')),
    user: one('user'),
    identityFiles: paths('identityfile'),
    certificateFiles: paths('certificatefile'),
    identitiesOnly: one('identitiesonly') === 'yes',
    identityAgent: one('identityagent'),
    proxyJump: one('proxyjump'),
    known: one('userknownhostsfile'),
    global: one('globalknownhostsfile'),
    strict: ['true', 'ask'].includes(one('stricthostkeychecking') ?? ''),
    alias: one('hostkeyalias'),
    hash: one('hashknownhosts') === 'yes',
    timeout: seconds('connecttimeout'),
    // Debian's ssh has one of its own for BatchMode.
    interval: one('serveraliveinterval') === '300' ? 0 : seconds('serveraliveinterval'),
    count: Number(one('serveralivecountmax')),
    batch: one('batchmode') === 'yes',
    family: one('addressfamily'),
    bind: one('bindaddress'),
    methods: methods.filter((name) => isListed(name) && !off.includes(name)),
  };
}

const wordsOr = (files: readonly string[] | undefined): string | undefined =>
  files?.length === 0 ? 'none' : files?.join(' ');

function inTheSameWords(
  config: HostConfig,
  { host = 'far', user }: ConfigCase,
  defaults: ReadonlyMap<string, readonly string[]>,
): object {
  const std = (name: string): string => defaults.get(name)?.[0] ?? '';
  const agent = config.identityAgent;
  const jump = config.proxyJump?.join(',').replace(/ssh:\/\//g, '');
  return {
    hostName: (config.hostName ?? host).toLowerCase(),
    port: config.port ?? 22,
    user: user ?? config.user ?? username,
    identityFiles: config.identityFiles ?? (defaults.get('identityfile') ?? []).map((path) => path.replace(/^~/, home)),
    certificateFiles: config.certificateFiles,
    identitiesOnly: config.identitiesOnly ?? false,
    identityAgent: agent === false ? 'none' : agent,
    proxyJump: jump === '' ? undefined : jump,
    known: wordsOr(config.userKnownHostsFiles) ?? std('userknownhostsfile'),
    global: wordsOr(config.globalKnownHostsFiles) ?? std('globalknownhostsfile'),
    strict: (config.hostKeys ?? 'strict') === 'strict',
    alias: config.hostKeyAlias?.toLowerCase(),
    hash: config.hashKnownHosts,
    timeout: (config.connectTimeoutMs ?? 0) / 1_000,
    interval: (config.keepaliveIntervalMs ?? 0) / 1_000,
    count: config.keepaliveCount ?? 3,
    batch: config.isBatch,
    family: { 0: 'any', 4: 'inet', 6: 'inet6' }[config.addressFamily],
    bind: config.bindAddress,
    methods: config.authMethods,
  };
}

/** Key files as ssh names them when it tells what it does; the program instead of a connection ends when ssh has begun to speak. */
function keyFilesOf(): Promise<readonly string[] | undefined> {
  const words = ['-v', '-F', file, '-o', 'ProxyCommand=head -c 1', '-o', 'BatchMode=yes', 'far', 'true'];
  return new Promise((done) => {
    execFile(
      'ssh',
      words,
      { env: { PATH: process.env.PATH, HOME: home, WARMVM_X: '/x' } },
      (_error, _stdout, stderr) => {
        const found = [...stderr.matchAll(/^debug1: identity file (.+) type -?\d+\r?$/gm)].map(
          ([, path]) => path as string,
        );
        // A file that is not a certificate is looked for under the name of one too.
        done(found.length === 0 ? undefined : found.filter((path) => !path.endsWith('-cert')));
      },
    );
  });
}

describe.runIf(hasSsh)('a token of a path', () => {
  test.each(TOKENS)('%j stands for what OpenSSH takes it for', async (token) => {
    const text = `Host far\n HostName 127.0.0.9\n Port 2222\n User me\n HostKeyAlias alias\n IdentityFile ${token}\n`;
    await writeFile(file, text);
    const place = {
      files: [{ path: file, includeFolder: join(home, '.ssh'), isChecked: false }],
      home,
      workingFolder: process.cwd(),
      environment: { WARMVM_X: '/x' },
      localUser: () => username,
    };
    const names = (await keyFilesOf())?.map((path) => resolve(path));
    const config = await hostConfig(place, 'far', undefined).catch((error: unknown) => error as Error);
    if (names === undefined) expect(config).toMatchObject({ code: 'WARMVM_NOT_SUPPORTED' });
    else expect(config).toMatchObject({ identityFiles: names });
  });
});

describe.runIf(hasSsh)('an ssh configuration means what OpenSSH takes it for', () => {
  test('in so many cases', () => expect(CASES.length).toBeGreaterThan(60));

  test.each(CASES.map((each) => (typeof each === 'string' ? { text: each } : each)))(
    '$text $host $user',
    async (each) => {
      await writeFile(file, '');
      const defaults = await answerOf({ text: '', host: 'any' });
      await writeFile(file, each.text.replaceAll('FOLDER', folder));
      const place = {
        files: [{ path: file, includeFolder: join(home, '.ssh'), isChecked: false }],
        home,
        workingFolder: process.cwd(),
        environment: {},
        localUser: () => username,
      };
      const answer = await answerOf(each);
      const config = await hostConfig(place, each.host ?? 'far', each.user).catch((error: unknown) => error as Error);
      if (answer === undefined || answer.has('proxycommand')) {
        expect(config).toMatchObject({ code: 'WARMVM_NOT_SUPPORTED', details: { problem: 'config-not-supported' } });
        return;
      }
      if (config instanceof Error) throw config;
      expect(inTheSameWords(config, each, defaults as NonNullable<typeof defaults>)).toEqual(spoken(answer));
    },
  );
});
