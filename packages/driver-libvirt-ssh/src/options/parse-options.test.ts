import { describe, expect, test } from 'vitest';
import type { SshOptions } from './options.ts';
import { parseSshOptions } from './parse-options.ts';

describe('options', () => {
  test('are completed', () => {
    expect(parseSshOptions({ host: 'far' })).toMatchObject({
      host: 'far',
      driver: 'qemu',
      driverUri: 'qemu:///system',
      ways: ['streamlocal', 'helper', 'netcat'],
      sockets: ['/var/run/libvirt/virtqemud-sock', '/var/run/libvirt/libvirt-sock'],
      maxConnections: 4,
      sshConfig: true,
    });
  });

  test.each<[SshOptions, readonly string[], readonly string[]]>([
    [{ uri: 'qemu+ssh://h/system?socket=/s' }, ['streamlocal', 'netcat'], ['/s']],
    [{ uri: 'qemu+ssh://h/session' }, ['helper'], []],
    [{ uri: 'qemu+ssh://h/session?socket=/s' }, ['streamlocal', 'netcat'], ['/s']],
    [{ uri: 'qemu+ssh://h/system?mode=legacy' }, ['streamlocal', 'netcat'], ['/var/run/libvirt/libvirt-sock']],
    [{ uri: 'qemu+ssh://h/system?mode=direct' }, ['streamlocal', 'netcat'], ['/var/run/libvirt/virtqemud-sock']],
    [{ uri: 'test+ssh://h/default?proxy=streamlocal' }, ['streamlocal'], ['/var/run/libvirt/libvirt-sock']],
    [{ host: 'h', netcat: 'nc', socketPath: '/s' }, ['netcat'], ['/s']],
    [{ host: 'h', way: 'helper' }, ['helper'], expect.anything() as never],
  ])('%o are reached by the ways %j', (options, ways, sockets) => {
    expect(parseSshOptions(options)).toMatchObject({ ways, sockets });
  });

  test('take lists or single ones', () => {
    const parsed = parseSshOptions({ host: 'h', keyFile: '/k', knownHosts: ['/a', '/b'], proxyJump: 'one,two' });
    expect(parsed).toMatchObject({ keyFiles: ['/k'], knownHosts: ['/a', '/b'], proxyJump: ['one', 'two'] });
  });

  test.each<[string, SshOptions, string]>([
    ['neither host nor uri', {}, 'options.host or options.uri'],
    ['a host beside the uri', { uri: 'qemu+ssh://h/system', host: 'h' }, 'options.host is given beside'],
    [
      'a key file beside the uri',
      { uri: 'qemu+ssh://h/system?keyfile=/k', keyFile: '/j' },
      'options.keyFile is given beside',
    ],
    ['a host like an option', { host: '-oProxyCommand=x' }, 'options.host'],
    ['a host with a space', { host: 'a b' }, 'options.host'],
    ['a host with a line', { host: 'a\nb' }, 'options.host'],
    ['a user like an option', { host: 'h', user: '-l' }, 'options.user'],
    ['a port of 0', { host: 'h', port: 0 }, 'options.port is 0'],
    ['a port as text', { host: 'h', port: '22' as never }, 'options.port is "22"'],
    ['a socket that is not absolute', { host: 'h', socketPath: 'run/sock' }, 'absolute path'],
    ['a socket that is too long', { host: 'h', socketPath: `/${'x'.repeat(107)}` }, 'at most 107 bytes'],
    ['a socket with a line', { host: 'h', socketPath: '/a\nb' }, 'control characters'],
    ['a netcat like an option', { host: 'h', netcat: '-e' }, 'options.netcat'],
    ['netcat for another way', { host: 'h', netcat: 'nc', way: 'helper' }, 'options.netcat is given'],
    ['a socket for the helper', { host: 'h', way: 'helper', socketPath: '/s' }, 'finds the socket itself'],
    ['a mode for the helper', { uri: 'qemu+ssh://h/system?proxy=native&mode=legacy' }, 'finds the daemon itself'],
    ['a session by netcat', { uri: 'qemu+ssh://h/session?proxy=netcat' }, 'needs socket=PATH'],
    ['an unknown way', { host: 'h', way: 'magic' as never }, 'options.way'],
    ['an unknown method', { host: 'h', authMethods: ['none' as never] }, 'options.authMethods'],
    ['a password that is no function', { host: 'h', password: 'secret' as never }, 'options.password is string'],
    ['an unknown strictness', { host: 'h', hostKeys: 'no' as never }, 'options.hostKeys'],
    ['no known hosts', { host: 'h', knownHosts: [] }, 'options.knownHosts is []'],
    ['an agent that is true', { host: 'h', agent: true as never }, 'options.agent'],
    ['identitiesOnly as text', { host: 'h', identitiesOnly: 'yes' as never }, 'options.identitiesOnly'],
    ['an empty jump', { host: 'h', proxyJump: [''] }, 'options.proxyJump'],
    ['a config with a zero byte', { host: 'h', sshConfig: '/a\0' }, 'zero byte'],
    [
      'a word that is misspelt',
      { host: 'h', keyfile: '/k' } as never,
      'options.keyfile is unknown; did you mean keyFile?',
    ],
    ['too many connections', { host: 'h', maxConnections: 65 }, 'options.maxConnections'],
    ['a deadline of nothing', { host: 'h', connectTimeoutMs: 0 }, 'options.connectTimeoutMs'],
  ])('with %s are refused', (_title, options, why) => {
    expect(() => parseSshOptions(options)).toThrow(why);
  });

  test('with a password never show it', () => {
    expect(() => parseSshOptions({ host: 'h', password: 'hunter2' as never })).not.toThrow(/hunter2/);
  });
});
