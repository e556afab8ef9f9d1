import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSshUri } from './uri.ts';

describe('a URI as libvirt writes it', () => {
  test.each([
    ['qemu+ssh://host/system', { host: 'host' }],
    ['qemu+ssh://me@host:2222/system', { host: 'host', port: 2222, user: 'me' }],
    ['qemu+ssh://d%40m@host/system', { host: 'host', user: 'd@m' }],
    ['qemu+ssh://[fe80::1%25eth0]:22/system', { host: 'fe80::1%eth0', port: 22 }],
    ['qemu+libssh2://host/system?known_hosts=/k', { host: 'host', knownHosts: '/k' }],
    ['qemu+ssh://host/system?keyfile=/a%20key', { host: 'host', keyFile: '/a key' }],
    ['qemu+ssh://host/system?socket=/run/a+b', { host: 'host', socketPath: '/run/a+b' }],
    ['qemu+ssh://host/system?netcat=/bin/nc', { host: 'host', netcat: '/bin/nc', way: 'netcat' }],
    ['qemu+ssh://host/system?proxy=native', { host: 'host', way: 'helper' }],
    ['qemu+ssh://host/system?proxy=auto', { host: 'host', way: 'auto' }],
    ['qemu+ssh://host/system?proxy=streamlocal', { host: 'host', way: 'streamlocal' }],
    ['qemu+ssh://host/system?netcat=nc&proxy=netcat', { host: 'host', netcat: 'nc', way: 'netcat' }],
    ['qemu+ssh://host/system?no_verify=1', { host: 'host', hostKeys: 'accept-new' }],
    ['qemu+ssh://host/system?no_verify=0', { host: 'host' }],
    ['qemu+ssh://host/system?known_hosts_verify=normal', { host: 'host', hostKeys: 'strict' }],
    ['qemu+ssh://host/system?known_hosts_verify=auto', { host: 'host', hostKeys: 'accept-new' }],
    ['qemu+ssh://host/system?sshauth=privkey,agent', { host: 'host', authMethods: ['keyfile', 'agent'] }],
  ])('%s is understood', (uri, options) => {
    expect(parseSshUri(uri).options).toEqual(options);
  });

  test('gives the daemon what concerns it', () => {
    expect(parseSshUri('qemu+ssh://host/session?keyfile=/k')).toMatchObject({
      driverUri: 'qemu:///session',
      isSession: true,
    });
    expect(parseSshUri('qemu+ssh://host/system?name=test:///default').driverUri).toBe('test:///default');
    expect(parseSshUri('qemu+ssh://host/system?mode=legacy&no_tty=1')).toMatchObject({ mode: 'legacy', isBatch: true });
  });

  test.each([
    ['qemu:///system', 'transport ssh expected'],
    ['qemu+tls://host/system', 'transport ssh expected'],
    ['qemu+ssh:///system', 'a host expected'],
    ['qemu+ssh://ho%zzst/system', 'percent escapes'],
    ['qemu+ssh://host:0/system', 'user@host:port'],
    ['qemu+ssh://host:70000/system', 'user@host:port'],
    ['qemu+ssh://host/system?command=/bin/ssh', '"command" is refused: no ssh program is run'],
    ['qemu+ssh://host/system?auth=none', '"auth" is refused'],
    ['qemu+ssh://host/system?pkipath=/x', '"pkipath" is refused: it is for TLS'],
    ['qemu+ssh://host/system?tls_priority=x', 'it is for TLS'],
    ['qemu+ssh://host/system?no_sanity=1', 'it is for TLS'],
    ['qemu+ssh://host/system?authfile=/x', '"authfile" is refused'],
    ['qemu+ssh://host/system?wat=1', '"wat" is refused: it is not known'],
    ['qemu+ssh://host/system?__proto__=1', 'is refused'],
    ['qemu+ssh://host/system?constructor=1', 'is refused'],
    ['qemu+ssh://host/system?keyfile=', 'parameter keyfile: a value expected'],
    ['qemu+ssh://host/system?proxy=libssh', 'parameter proxy: one of auto, native, netcat, streamlocal expected'],
    ['qemu+ssh://host/system?known_hosts_verify=ignore', 'a host key is always checked'],
    ['qemu+ssh://host/system?no_verify=yes', '0 or 1 expected'],
    ['qemu+ssh://host/system?no_verify=1&known_hosts_verify=normal', 'contradicts'],
    ['qemu+ssh://host/system?netcat=nc&proxy=native', 'contradicts'],
    ['qemu+ssh://host/system?sshauth=gssapi', 'parameter sshauth: one of agent'],
    ['qemu+ssh://host/system?mode=fast', 'parameter mode'],
  ])('%s is refused', (uri, why) => {
    expect(() => parseSshUri(uri)).toThrow(TypeError);
    expect(() => parseSshUri(uri)).toThrow(why);
  });

  test('of any other text is a TypeError and nothing else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `qemu+ssh://host/system?${text}`),
        ),
        (text) => {
          try {
            parseSshUri(text);
          } catch (error) {
            expect(error).toBeInstanceOf(TypeError);
          }
        },
      ),
    );
  });
});
