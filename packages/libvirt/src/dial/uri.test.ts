import { describe, expect, test } from 'vitest';
import { parseUri } from './uri.ts';

const S = 'socket=/s';

// What libvirt 9.0.0 passed on to a daemon for `test+unix:` and these endings, recorded at its socket.
test.each([
  [`///default?${S}`, 'test:///default'],
  [`///default?${S}#frag`, 'test:///default#frag'],
  [`///default?${S}#`, 'test:///default#'],
  [`///default?${S}&x=1#a%20b`, 'test:///default?x=1#a%20b'],
  [`///default?${S}#a?b`, 'test:///default#a?b'],
  [`///default?=value&${S}`, 'test:///default'],
  [`///default?${S}&=value&x=1`, 'test:///default?x=1'],
  [`///default?${S}&x`, 'test:///default?x='],
  [`///default?${S}&x=`, 'test:///default?x='],
  [`///default?${S}&&x`, 'test:///default?x='],
  [`///default?a=1;${S}`, 'test:///default?a=1'],
  [`///default?${S};x=1`, 'test:///default?x=1'],
  [`///default?a=1;b=2&${S}`, 'test:///default?a=1%3Bb%3D2'],
  [`///default?${S}&a=1;b=2`, 'test:///default?a=1&b=2'],
  ['///default?SOCKET=/s', 'test:///default'],
  [`///default?${S}&Mode=legacy&X=1`, 'test:///default?X=1'],
  [`///default?${S}&note=a%20b+c`, 'test:///default?note=a%20b%2Bc'],
  [`///default?${S}&note=%ff`, 'test:///default?note=%FF'],
  [`///default?${S}&n%61me=test:///other`, 'test:///other'],
  [`///default?${S}&NAME=test:///other`, 'test:///other'],
  [`///default?${S}&name=test%3A///default%3Fq=1`, 'test:///default?q=1'],
  [`///default?${S}&name=`, ''],
  [`///def%61ult?${S}`, 'test:///default'],
  [`///a%23b?${S}`, 'test:///a%23b'],
  [`///a%20b/c?${S}`, 'test:///a%20b/c'],
  [`/default?${S}`, 'test:///default'],
  [`///default?${S}&a=b&a=c`, 'test:///default?a=b&a=c'],
  [`///default?${S}&x=a=b`, 'test:///default?x=a%3Db'],
  [`///default?${S}&x=a:b/c@d,e`, 'test:///default?x=a%3Ab%2Fc%40d%2Ce'],
  [`///default?${S}&x=~-._*()!'$`, 'test:///default?x=~-._%2A%28%29%21%27%24'],
  [`///default?${S}&x=%C3%A9`, 'test:///default?x=%C3%A9'],
  [`///default?${S}&a+b=c`, 'test:///default?a+b=c'],
  [`///default?no_tty=1&${S}&no_such=1`, 'test:///default?no_such=1'],
  [`//u@/default?${S}`, 'test:///default'],
  [`//:12/default?${S}`, 'test:///default'],
])('test+unix:%s reaches the daemon as %s', (ending, expected) => {
  expect(parseUri(`test+unix:${ending}`).driverUri).toBe(expected);
});

describe('a parameter', () => {
  test.each([
    ['socket=/run/a+b', '/run/a+b'],
    ['socket=/run/a%20b%2Bc', '/run/a b+c'],
    ['Socket=/run/a', '/run/a'],
    ['socket=/nope&socket=/run/a', '/run/a'],
    ['socket=/run/a?x=1', '/run/a?x=1'],
    ['socket=/run/x=y', '/run/x=y'],
    ['=/nope&socket=/run/a', '/run/a'],
  ])('of %s is the socket %s', (query, socket) => {
    expect(parseUri(`test:///default?${query}`).params.get('socket')).toBe(socket);
  });

  test('in the fragment is none', () => {
    expect(parseUri('test:///default#frag?socket=/s').params.size).toBe(0);
  });
});

test.each([
  'test:///default?socket=%zz',
  'test:///default?socket=%ff',
  'test:///default?x=%00y',
  'qemu+ssh://a%zz@host/system',
  'test:///default#%z',
])('the broken escape in %s is refused as a bad argument', (uri) => {
  expect(() => parseUri(uri)).toThrow(TypeError);
  expect(() => parseUri(uri)).toThrow('percent escapes');
});

test.each(['', 'qemu', 'qemu:', 'qemu:default', ' qemu:///system', '+unix:///x', 'te_st:///x', 'test+:///x'])(
  '%j is refused, as libvirt refuses it',
  (uri) => {
    expect(() => parseUri(uri)).toThrow(TypeError);
  },
);
